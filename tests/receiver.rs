//! A Rust task that reads a mailbox, on tokio.
#![cfg(not(feature = "loom"))]

use std::sync::Arc;

use futures::StreamExt;
use parallel_event_bus::core::mailbox::{Mailbox, Refused};
use parallel_event_bus::core::receiver::{Receiver, TaskWake};

fn mailbox() -> Arc<Mailbox<u32, TaskWake>> {
    Arc::new(Mailbox::new(usize::MAX, TaskWake::default()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_posted_while_the_task_sleeps_and_while_it_reads_all_arrive_in_order() {
    let mailbox = mailbox();
    let receiver = Receiver::new(mailbox.clone());
    let writer = tokio::spawn(async move {
        for letter in 0..10_000 {
            mailbox.post(letter).unwrap();
            if letter % 97 == 0 {
                tokio::task::yield_now().await;
            }
        }
        mailbox
    });
    let read: Vec<_> = receiver.take(10_000).collect().await;
    assert!(read.into_iter().eq(0..10_000));
    writer.await.unwrap();
}

#[tokio::test]
async fn the_stream_ends_when_the_mailbox_is_closed() {
    let mailbox = mailbox();
    let mut receiver = Receiver::new(mailbox.clone());
    let reader = tokio::spawn(async move { receiver.next().await });
    tokio::task::yield_now().await;
    mailbox.close();
    assert_eq!(reader.await.unwrap(), None);
}

#[tokio::test]
async fn a_dropped_reader_closes_the_mailbox() {
    let mailbox = mailbox();
    drop(Receiver::new(mailbox.clone()));
    assert_eq!(mailbox.post(1), Err(Refused::Closed(1)));
}
