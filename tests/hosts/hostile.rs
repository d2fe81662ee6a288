//! A peer may say anything. It does no harm to this process: the events of that go on.

use std::sync::Arc;
use std::time::Instant;

use proptest::prelude::*;

use parallel_event_bus::cluster::bridge::{Bridge, Config, Input};
use parallel_event_bus::cluster::frame::{Added, Change, Event, Frame, Joined};
use parallel_event_bus::cluster::host::Host;
use parallel_event_bus::cluster::outgoing::Window;
use parallel_event_bus::engine::outcome::FailureKind;
use parallel_event_bus::engine::payload::Payload;

use crate::common::{self, Waker, delivery, emit, plain};
use crate::pair::id;

/// Small numbers, so that they often mean something.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0..6_u32, 1 => any::<u32>()]
}

fn frame() -> impl Strategy<Value = Frame> {
    let joined = (number(), number(), any::<u64>()).prop_map(|(member, endpoint, most)| {
        let (channel, thread) = ("orders".into(), 0);
        let (max_messages, max_bytes) = (most, most);
        Frame::Change(Change::Joined(Joined {
            member,
            endpoint,
            thread,
            channel,
            max_messages,
            max_bytes,
        }))
    });
    let added = (number(), number(), any::<[bool; 4]>()).prop_map(|(listener, member, flags)| {
        let [once, prepend, tracked, grouped] = flags;
        let group: Option<Arc<str>> = grouped.then(|| "g".into());
        let event = "x".into();
        Frame::Change(Change::Added(Added {
            listener,
            member,
            event,
            once,
            prepend,
            tracked,
            group,
        }))
    });
    let change = number().prop_flat_map(|number| {
        prop::sample::select(vec![
            Frame::Change(Change::Left(number)),
            Frame::Change(Change::Removed(number)),
            Frame::Change(Change::Ended(number)),
            Frame::Change(Change::Emptied(number)),
            Frame::Synced,
        ])
    });
    let event = (number(), number(), prop::collection::vec(number(), 0..5), any::<[bool; 3]>());
    let event = event.prop_map(|(id, endpoint, listeners, [request, awaited, must_start])| {
        let (timeout, payload) = (must_start.then_some((id, 5)), Payload::copy(b"x").unwrap());
        let id = id.into();
        Frame::Event(Event {
            id,
            endpoint,
            listeners,
            request,
            awaited,
            must_start,
            timeout,
            payload,
        })
    });
    let outcome = (number(), number(), any::<bool>()).prop_flat_map(|(id, index, started)| {
        let (id, kind) = (u64::from(id), FailureKind::ThreadExited);
        prop::sample::select(vec![
            Frame::Started(id),
            Frame::Done { first: id, count: u64::from(index) },
            Frame::Done { first: id, count: u64::MAX },
            Frame::Replied { id, index, reply: started.then(Payload::default) },
            Frame::Failed { id, index, kind: kind.clone(), started },
            Frame::Refused { id, kind },
            Frame::Unheard(id),
            Frame::Skipped { id, index },
            Frame::Cancel(id),
            Frame::Load { member: index, in_flight: u32::MAX },
            Frame::Waits { member: index, asked: u32::MAX },
            Frame::Stall { thread: 0, waiting: index, ms: index },
            Frame::Codebook { endpoint: index, from: id, bytes: vec![1; 9] },
        ])
    });
    prop_oneof![2 => joined, 3 => added, 2 => change, 4 => event, 4 => outcome]
}

fn config(at: u8) -> Config {
    Config {
        id: id(at),
        space: "test".into(),
        name: "".into(),
        channels: ["orders".into()].into(),
        window: Window { messages: 64, bytes: 1 << 20 },
        most: 16 << 10,
        longest: 1 << 20,
        beat: 1_000,
        peer_timeout: 5_000,
        link_timeout: 30_000,
    }
}

proptest! {
    #[test]
    fn whatever_a_peer_tells_events_of_this_process_go_on(
        frames in prop::collection::vec((frame(), any::<bool>()), 0..60),
    ) {
        let _alone = common::alone();
        // Timers of events of other tests may end meanwhile.
        let living = || common::living().map(|(what, count)| if what == "timers" { 0 } else { count });
        let before = living();
        {
            let here = "hostile";
            let channels = [("orders".into(), here.into())];
            let wake = Arc::new(Waker::default());
            let mut host = Host::new(config(1), channels, 1 << 20, wake, 0);
            // The other side is a bridge that says the frames it is given, and heeds nothing.
            let mut peer = Bridge::new(config(2), 0);
            let emitter = common::member(1, here);
            let listening = common::member(2, here);
            (0..3).for_each(|id| listening.listen("x", id, plain()));
            let mut to_host = vec![Input::Up];
            let mut to_peer = vec![Input::Up];
            let mut frames = frames.into_iter();
            for round in 0..80 {
                let sent = host.turn(round, std::mem::take(&mut to_host));
                to_peer.extend(sent.into_iter().map(|(_, bytes)| Input::Heard(bytes)));
                if let Some((frame, emits)) = frames.next().filter(|_| round > 8) {
                    to_peer.push(Input::Send(id(1), frame));
                    if emits {
                        drop(emit(&emitter, "x", b"mine"));
                    }
                }
                for action in peer.poll(round, std::mem::take(&mut to_peer)) {
                    if let parallel_event_bus::cluster::bridge::Action::Transmit(_, bytes) = action {
                        to_host.push(Input::Heard(bytes));
                    }
                }
            }
            drop(common::deliveries(listening.endpoint()));
            // Nobody else is left to get it.
            host.turn(100, [Input::Lost(id(2))]);
            let mut mine = emit(&emitter, "x", b"mine");
            let came = delivery(listening.endpoint());
            (0..3).for_each(|index| came.succeed(index, None));
            drop(came);
            prop_assert_eq!(mine.outcome().map(|outcome| outcome.success), Some(3));
            drop(host);
            emitter.endpoint().close();
            listening.endpoint().close();
            prop_assert_eq!(emitter.pending(), 0);
            drop((common::read(emitter.endpoint()), common::read(listening.endpoint())));
        }
        // The thread of the timers may be about to let go of an event.
        let end = Instant::now() + common::WATCHDOG;
        while living() != before && Instant::now() < end {
            std::thread::yield_now();
        }
        prop_assert_eq!(living(), before);
    }
}
