//! Members join, are found, and leave without a trace.
#![cfg(not(feature = "loom"))]

use std::collections::VecDeque;
use std::convert::Infallible;

use parallel_event_bus::core::mailbox::{Mailbox, Refused, Wake};
use parallel_event_bus::core::metrics;
use parallel_event_bus::core::registry::{Registration, Registry};

struct Silent;

impl Wake for Silent {
    fn wake(&self) {}
}

fn join(registry: &Registry<u32, Silent>) -> Registration<u32, Silent> {
    registry.join(|_| Ok::<_, Infallible>(Mailbox::new(4, Silent))).unwrap()
}

#[test]
fn a_member_is_found_until_it_leaves_and_its_id_is_never_given_again() {
    let registry = Registry::new();
    let first = join(&registry);
    let second = join(&registry);
    assert_ne!(first.id(), second.id());
    assert_eq!(registry.len(), 2);
    registry.mailbox(first.id()).unwrap().post(7).unwrap();
    assert_eq!(first.mailbox().len(), 1);

    let gone = first.id();
    drop(first);
    assert!(registry.mailbox(gone).is_none());
    assert!(join(&registry).id() > second.id());
}

#[test]
fn who_looked_a_mailbox_up_before_its_owner_left_is_refused() {
    let registry = Registry::new();
    let member = join(&registry);
    let kept = registry.mailbox(member.id()).unwrap();
    kept.post(1).unwrap();
    assert_eq!(member.leave(), VecDeque::from([1]));
    assert_eq!(kept.post(2), Err(Refused::Closed(2)));
}

#[test]
fn nobody_joins_when_the_mailbox_can_not_be_made() {
    let registry = Registry::<u32, Silent>::new();
    assert_eq!(registry.join(|_| Err("no mailbox")).err(), Some("no mailbox"));
    assert!(registry.is_empty());
}

#[test]
fn churn_leaves_nothing_behind() {
    let registry = Registry::new();
    let before = metrics::MAILBOXES.get();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let member = join(&registry);
                    registry.mailbox(member.id()).unwrap().post(1).unwrap();
                }
            });
        }
    });
    assert!(registry.is_empty());
    // Other tests of this file run beside this one and hold a few.
    assert!(metrics::MAILBOXES.get() < before + 100);
}
