//! Bytes of others: all that is written is read again, and nothing that is read can do harm.

use proptest::prelude::*;

use parallel_event_bus::cluster::bridge::{Bridge, Input};
use parallel_event_bus::cluster::frame::{Added, Change, Event, Frame, Joined};
use parallel_event_bus::cluster::message::{Body, Message, Receipt};
use parallel_event_bus::cluster::wire::{Reader, Writer};
use parallel_event_bus::engine::blocks::Block;
use parallel_event_bus::engine::capacity::Bound;
use parallel_event_bus::engine::outcome::FailureKind;
use parallel_event_bus::engine::payload::{Part, Payload};

use crate::node::config;
use crate::world::World;

fn payload() -> impl Strategy<Value = Payload> {
    (prop::collection::vec(any::<u8>(), 0..40), any::<bool>()).prop_map(|(bytes, has_parts)| {
        let payload = Payload::copy(&bytes).unwrap();
        let block = || Block::copy(&bytes).unwrap().into();
        let parts = [Part::Bytes(block()), Part::Latin1(block()), Part::Wide(vec![1, 2].into())];
        payload.with_parts(if has_parts { parts.into() } else { Vec::new() })
    })
}

fn failure() -> impl Strategy<Value = FailureKind> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..9).prop_map(FailureKind::Threw),
        any::<u32>().prop_map(FailureKind::TimedOut),
        any::<u64>().prop_map(FailureKind::TooLarge),
        any::<u64>().prop_map(|most| FailureKind::MailboxFull(Bound::Messages(most))),
        any::<u64>().prop_map(|most| FailureKind::MailboxFull(Bound::Bytes(most))),
        Just(FailureKind::NoMemory),
        Just(FailureKind::ThreadExited),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let joined =
        (any::<[u32; 3]>(), ".*", any::<[u64; 2]>()).prop_map(|(numbers, channel, most)| {
            let ([member, endpoint, thread], [max_messages, max_bytes]) = (numbers, most);
            let channel = channel.into();
            Change::Joined(Joined { member, endpoint, thread, channel, max_messages, max_bytes })
        });
    let added = (any::<[u32; 2]>(), ".*", any::<[bool; 3]>(), any::<Option<String>>()).prop_map(
        |([listener, member], event, [once, prepend, tracked], group)| {
            let (event, group) = (event.into(), group.map(Into::into));
            Change::Added(Added { listener, member, event, once, prepend, tracked, group })
        },
    );
    let number = any::<u32>();
    prop_oneof![
        joined,
        added,
        number.prop_map(Change::Left),
        number.prop_map(Change::Removed),
        number.prop_map(Change::Ended),
        number.prop_map(Change::Emptied),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let listeners = prop::collection::vec(any::<u32>(), 0..5);
    let flags = (any::<[bool; 3]>(), any::<Option<(u32, u32)>>());
    (any::<u64>(), any::<u32>(), listeners, flags, payload()).prop_map(
        |(id, endpoint, listeners, ([request, awaited, must_start], timeout), payload)| Event {
            id,
            endpoint,
            listeners,
            request,
            awaited,
            must_start,
            timeout,
            payload,
        },
    )
}

fn frame() -> impl Strategy<Value = Frame> {
    let (id, index) = (any::<u64>(), any::<u32>());
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        change().prop_map(Frame::Change),
        Just(Frame::Synced),
        any::<u64>().prop_map(Frame::Unheard),
        (index, id, bytes).prop_map(|(endpoint, from, bytes)| Frame::Codebook {
            endpoint,
            from,
            bytes
        }),
        event().prop_map(Frame::Event),
        id.prop_map(Frame::Started),
        (id, id).prop_map(|(first, count)| Frame::Done { first, count }),
        (id, index, prop::option::of(payload())).prop_map(|(id, index, reply)| Frame::Replied {
            id,
            index,
            reply
        }),
        (id, index, failure()).prop_map(|(id, index, kind)| Frame::Failed {
            id,
            index,
            kind,
            started: index > 9
        }),
        (id, failure()).prop_map(|(id, kind)| Frame::Refused { id, kind }),
        (id, index).prop_map(|(id, index)| Frame::Skipped { id, index }),
        id.prop_map(Frame::Cancel),
        (index, index).prop_map(|(member, in_flight)| Frame::Load { member, in_flight }),
        (index, index).prop_map(|(member, asked)| Frame::Waits { member, asked }),
        (index, index, index).prop_map(|(thread, waiting, ms)| Frame::Stall {
            thread,
            waiting,
            ms
        }),
    ]
}

proptest! {
    #[test]
    fn a_frame_is_read_as_it_was_written(frame in frame()) {
        let (kind, body) = frame.encode();
        prop_assert_eq!(Frame::read(kind, &body), Some(Some(frame)));
    }

    #[test]
    fn a_frame_that_is_cut_short_makes_no_sense_or_another(frame in frame(), at in any::<usize>()) {
        let (kind, body) = frame.encode();
        let _ = Frame::read(kind, &body[..at % (body.len() + 1)]);
    }

    #[test]
    fn numbers_of_any_size_are_read_again(number in any::<u64>()) {
        let mut writer = Writer::default();
        writer.number(number);
        prop_assert_eq!(Reader::new(&writer.0).number(), Some(number));
    }

    #[test]
    fn any_bytes_leave_a_bridge_as_it_was(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
    ) {
        let mut bridge = Bridge::new(config(1), 0);
        bridge.poll(0, messages.into_iter().map(Input::Heard));
        prop_assert_eq!(bridge.peers().count(), 0);
    }

    #[test]
    fn any_frames_of_a_peer_at_worst_end_its_session(
        frames in prop::collection::vec(any::<u8>(), 0..300),
        flips in prop::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        real in prop::collection::vec(frame(), 0..5),
    ) {
        let mut world = World::new(2, 1);
        world.run(50);
        let from = world.nodes[1].id;
        let mut bytes = frames;
        for frame in real {
            let (kind, body) = frame.encode();
            let mut writer = Writer(std::mem::take(&mut bytes));
            writer.byte(kind);
            writer.bytes(&body);
            bytes = writer.0;
        }
        for (at, flip) in flips {
            let count = bytes.len().max(1);
            bytes.iter_mut().skip(at % count).take(1).for_each(|byte| *byte ^= flip);
        }
        let receipt = Receipt { ack: 0, has_gap: false };
        let body = Body::Data { number: 3, receipt, frames: &bytes };
        let message = Message { from, mine: 1, yours: 1, body }.write();
        let _ = world.nodes[0].bridge.poll(world.now, [Input::Heard(message)]);
    }
}

#[test]
fn a_declared_length_allocates_nothing() {
    let mut writer = Writer::default();
    writer.number(u64::MAX);
    assert_eq!(Reader::new(&writer.0).bytes(), None);
    assert_eq!(Reader::new(&writer.0).list(Reader::byte), None);
}

#[test]
fn a_kind_of_frame_that_is_not_known_is_skipped() {
    let mut world = World::new(2, 1);
    world.run(50);
    let receipt = Receipt { ack: 0, has_gap: false };
    let from = world.nodes[1].id;
    // One message has come so far: that of the listeners.
    let body = Body::Data { number: 2, receipt, frames: &[200, 3, 1, 2, 3] };
    let message = Message { from, mine: 1, yours: 1, body }.write();
    world.nodes[0].bridge.poll(world.now, [Input::Heard(message)]);
    assert!(world.nodes[0].bridge.peer(from).is_some());
}
