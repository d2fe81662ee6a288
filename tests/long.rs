//! Long payloads: memory of the engine's that all receivers share, and that the last of them has alone.
#![cfg(not(feature = "loom"))]

mod common;

use std::sync::Arc;

use common::*;
use parallel_event_bus::engine::blocks::Block;
use parallel_event_bus::engine::channel::Batch;
use parallel_event_bus::engine::channel::endpoint::Endpoint;
use parallel_event_bus::engine::channel::member::Member;
use parallel_event_bus::engine::channel::message::{Message, Notice};
use parallel_event_bus::engine::channel::route::Published;
use parallel_event_bus::engine::payload::{Content, Part, Payload};

const LENGTH: usize = 1 << 17;

/// A short message with a long part.
fn long() -> Payload {
    let part = Part::Bytes(Arc::new(Block::copy(&[7; LENGTH]).unwrap()));
    Payload::copy(b"head").unwrap().with_parts(vec![part])
}

fn publish(emitter: &Arc<Member>) -> Published {
    emitter.channel().route("e").publish_all(emitter, &mut [Content::Kept(long())])
}

fn batch(endpoint: &Endpoint) -> Batch {
    batches(endpoint).pop().unwrap()
}

/// Whether nobody else has the part of a payload.
fn is_alone(mut payload: Payload) -> bool {
    assert_eq!((&*payload, payload.size()), (b"head".as_slice(), 4 + LENGTH));
    let Some(Part::Bytes(part)) = payload.take_parts().pop() else { panic!("it has no part") };
    assert_eq!(part.as_slice(), [7; LENGTH]);
    Arc::try_unwrap(part).is_ok()
}

/// The payloads of lost events.
fn lost(emitter: &Arc<Member>) -> Vec<Option<Payload>> {
    let payload = |message| match message {
        Message::Notice(Notice::Lost { lost, .. }) => Some(lost.payload),
        _ => None,
    };
    read(emitter.endpoint()).into_iter().filter_map(payload).collect()
}

#[test]
fn receivers_of_a_batch_share_a_long_payload_and_the_last_one_has_it_alone() {
    let (emitter, one, two) = (member(1, "long"), member(2, "long"), member(3, "long"));
    [&one, &two].iter().for_each(|each| each.listen("e", 1, plain()));
    assert_eq!(publish(&emitter), Published::To(2));
    let [mut first, mut second] = [&one, &two].map(|each| batch(each.endpoint()));
    for batch in [&first, &second] {
        assert!(batch.lies_apart(0));
        assert!(batch.words().len() < 8, "it is not among the words");
    }
    assert!(!is_alone(first.take_payload(0).unwrap()));
    assert!(is_alone(second.take_payload(0).unwrap()));
    assert_eq!(second.take_payload(0), None);
    [first, second].iter_mut().for_each(|batch| batch.settle(0, 1, 0));
    assert_eq!((one.capacity().events(), emitter.pending()), (0, 0));
}

#[test]
fn a_sole_receiver_has_a_long_payload_alone_however_it_is_emitted() {
    let (emitter, other) = (member(1, "sole"), member(2, "sole"));
    other.listen("e", 1, plain());
    publish(&emitter);
    assert!(is_alone(batch(other.endpoint()).take_payload(0).unwrap()));
    let _emitted = emit_as(&emitter, "e", b"", |emission| {
        emission.payload = Some(Content::Kept(long()));
    });
    let delivery = delivery(other.endpoint());
    assert!(delivery.dispatch().lies_apart());
    assert!(is_alone(delivery.take_payload().unwrap()));
    assert_eq!(delivery.take_payload(), None);
}

#[test]
fn deliveries_share_a_long_payload_until_one_is_left() {
    let (emitter, one, two) = (member(1, "shared"), member(2, "shared"), member(3, "shared"));
    [&one, &two].iter().for_each(|each| each.listen("e", 1, plain()));
    let _emitted = emit_as(&emitter, "e", b"", |emission| {
        emission.payload = Some(Content::Kept(long()));
    });
    let [first, second] = [&one, &two].map(|each| delivery(each.endpoint()));
    assert!(!is_alone(first.take_payload().unwrap()));
    assert!(!is_alone(second.take_payload().unwrap()));
    first.succeed(0, None);
    assert!(is_alone(second.take_payload().unwrap()));
}

#[test]
fn a_loss_has_the_long_payload_unless_a_receiver_has_taken_it() {
    let (emitter, other) = (member(1, "lost long"), member(2, "lost long"));
    other.listen("e", 1, plain());
    publish(&emitter);
    publish(&emitter);
    let mut messages = read(other.endpoint());
    let Message::Batch(batch) = &mut messages[0] else { panic!("no batch") };
    assert!(batch.take_payload(0).is_some());
    drop(messages);
    assert_eq!(lost(&emitter), [None, Some(long())]);
    drop(other.endpoint().mailbox().close());
    publish(&emitter);
    assert_eq!(lost(&emitter), [Some(long())]);
}

#[test]
fn members_that_refuse_a_long_payload_share_it_with_the_news_of_that() {
    let (emitter, full, free) =
        (member(1, "full long"), small_member(2, "full long", 0), member(3, "full long"));
    [&full, &free].iter().for_each(|each| each.listen("e", 1, plain()));
    assert_eq!(publish(&emitter), Published::To(2));
    assert_eq!(lost(&emitter), [Some(long())]);
    assert!(is_alone(batch(free.endpoint()).take_payload(0).unwrap()));
}

#[test]
fn an_event_of_more_bytes_than_a_word_counts_gives_back_all_its_room() {
    let (emitter, other) = (member(1, "longer"), member(2, "longer"));
    other.listen("e", 1, plain());
    let mut block = Block::with_capacity(0).unwrap();
    // Memory that nobody writes to is none of the machine's.
    *block = vec![0; 1 << 30];
    let parts = vec![Part::Bytes(Arc::new(block)); 5];
    let payload = || Payload::copy(b"head").unwrap().with_parts(parts.clone());
    assert!(payload().size() > u32::MAX as usize);
    for _ in 0..2 {
        let published = &mut [Content::Kept(payload())];
        assert_eq!(emitter.channel().route("e").publish_all(&emitter, published), Published::To(1));
        let mut batch = batch(other.endpoint());
        assert!(other.capacity().is_high());
        batch.settle(0, 1, 0);
        assert!(!other.capacity().is_high());
    }
}
