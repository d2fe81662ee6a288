//! The time of the engine itself, without Node: to publish, to route, to wake, to settle.
//!
//! `cargo bench` measures all of it, `cargo bench -- settle` a part. Members are on one thread and
//! nobody contends for a lock: `npm run bench` has the threads.
#![allow(missing_docs, reason = "criterion_group! makes functions without them")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Bencher, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use parallel_event_bus::engine::capacity::MailboxLimits;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::Message;
use parallel_event_bus::engine::channel::route::{ListenerOptions, Route};
use parallel_event_bus::engine::delivery::dispatch::Emission;
use parallel_event_bus::engine::mailbox::{Mailbox, Wake};
use parallel_event_bus::engine::outcome::Report;
use parallel_event_bus::engine::payload::Content;

/// Events of one round: fewer than wait for a member by default.
const BURST: usize = 1000;
const MEMBERS: [usize; 4] = [1, 2, 4, 8];
const PAYLOADS: [usize; 4] = [64, 1 << 10, 16 << 10, 64 << 10];
const SMALL: usize = 64;
const CHANNEL: &str = "bench";
const EVENT: &str = "tick";

/// Wakes nobody: the benchmark looks by itself.
struct Silent;

impl Wake for Silent {
    fn wake(&self) {}
}

fn member() -> Arc<Member> {
    Endpoint::new(0, Arc::new(Silent)).join(CHANNEL, MailboxLimits::default())
}

/// An emitter, and members that listen.
struct Audience {
    emitter: Arc<Member>,
    listening: Vec<Arc<Member>>,
    route: Arc<Route>,
    messages: Vec<Message>,
}

impl Audience {
    fn of(members: usize) -> Self {
        let emitter = member();
        let listening: Vec<_> = (0..members).map(|_| member()).collect();
        for each in &listening {
            each.listen(EVENT, 1, ListenerOptions::default());
        }
        let route = emitter.channel().route(EVENT);
        Audience { emitter, listening, route, messages: Vec::new() }
    }

    /// Events that nobody waits for.
    fn publish(&mut self, events: usize, payload: &[u8]) {
        for _ in 0..events {
            black_box(self.route.publish(&self.emitter, Some(payload)));
        }
    }

    /// Dispatches events and awaits their outcomes.
    fn emit(&mut self, events: usize, payload: &[u8]) {
        for token in 0..events as u32 {
            let emission = Emission {
                payload: Some(Content::Lent(payload)),
                request: false,
                timeout: None,
                cancellable: false,
                key: None,
                report: Report::Message(token),
            };
            black_box(self.route.dispatch(&self.emitter, emission));
        }
    }

    /// Takes all messages out of the mailboxes.
    fn read(&mut self) {
        for each in &self.listening {
            while each.endpoint().collect(BURST, &mut self.messages) {}
        }
    }

    /// Settles every listener of the collected messages as done.
    fn settle(&mut self) {
        for message in self.messages.drain(..) {
            match message {
                Message::Delivery(delivery) => {
                    assert!(delivery.start());
                    delivery.succeed(0, None);
                }
                Message::Batch(mut batch) => batch.settle(0, batch.len(), 0),
                _ => unreachable!("nothing was lost"),
            }
        }
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        for each in self.listening.iter().chain([&self.emitter]) {
            each.endpoint().close();
        }
    }
}

/// Times one part of each round, and not the rest of it.
fn time_part<T>(
    bencher: &mut Bencher<'_>,
    mut before: impl FnMut() -> T,
    mut part: impl FnMut(T) -> T,
    mut after: impl FnMut(T),
) {
    bencher.iter_custom(|rounds| {
        let round = |_| {
            let state = before();
            let start = Instant::now();
            let state = part(state);
            let spent = start.elapsed();
            after(state);
            spent
        };
        (0..rounds).map(round).sum::<Duration>()
    });
}

fn publish(criterion: &mut Criterion) {
    let by_members = MEMBERS.map(|members| ("members", members, members, SMALL));
    let by_payload = PAYLOADS.map(|size| ("bytes", size, 1, size));
    let mut group = criterion.benchmark_group("publish, an event");
    for (of, number, members, size) in by_members.into_iter().chain(by_payload) {
        let payload = vec![0; size];
        // Room is bounded in bytes, too.
        let events = BURST.min((16 << 20) / size);
        group.throughput(Throughput::Elements(events as u64));
        group.bench_function(BenchmarkId::new(of, number), |bencher| {
            time_part(
                bencher,
                || Audience::of(members),
                |mut audience| {
                    audience.publish(events, &payload);
                    audience
                },
                drop,
            );
        });
    }
    group.finish();
}

/// Measures the listeners' side, with events that it has read.
fn settle(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("settle, an event");
    group.throughput(Throughput::Elements(BURST as u64));
    for members in MEMBERS {
        let published = || {
            let mut audience = Audience::of(members);
            audience.publish(BURST, &[0; SMALL]);
            audience.read();
            audience
        };
        group.bench_function(BenchmarkId::new("published, by members", members), |bencher| {
            time_part(bencher, published, settled, drop);
        });
        let awaited = || {
            let mut audience = Audience::of(members);
            audience.emit(BURST, &[0; SMALL]);
            audience.read();
            audience
        };
        group.bench_function(BenchmarkId::new("awaited, by members", members), |bencher| {
            time_part(bencher, awaited, settled, |mut audience| {
                while audience.emitter.endpoint().collect(BURST, &mut audience.messages) {}
                assert_eq!(audience.messages.len(), BURST, "outcomes");
            });
        });
    }
    group.finish();
}

fn settled(mut audience: Audience) -> Audience {
    audience.settle();
    audience
}

/// Measures finding the listeners to an event, by its name.
fn route(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("route, by names on the channel");
    for names in [1, 1000, 100_000] {
        let member = member();
        let names: Vec<_> = (0..names).map(|number| format!("event:{number}")).collect();
        for (name, id) in names.iter().zip(1..) {
            member.listen(name, id, ListenerOptions::default());
        }
        let mut at = 0;
        group.bench_function(BenchmarkId::from_parameter(names.len()), |bencher| {
            bencher.iter(|| {
                at = (at + 1) % names.len();
                black_box(member.channel().route(&names[at]))
            });
        });
        member.endpoint().close();
    }
    group.finish();
}

/// Measures a mailbox alone: a message, and a wake.
fn wake(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wake");
    let mailbox = Mailbox::new(Silent);
    let mut messages = Vec::new();
    group.bench_function("a message to a mailbox that sleeps, until it is read", |bencher| {
        bencher.iter(|| {
            assert!(mailbox.push(1_u32).is_ok());
            let _ = mailbox.collect(BURST, &mut messages);
            black_box(messages.drain(..).sum::<u32>())
        });
    });
    group.bench_function("a wake, and the look that follows it", |bencher| {
        bencher.iter(|| {
            black_box(mailbox.wake());
            mailbox.collect(BURST, &mut messages)
        });
    });
    group.finish();
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! {
    name = engine;
    config = short();
    targets = publish, route, wake, settle
}
criterion_main!(engine);
