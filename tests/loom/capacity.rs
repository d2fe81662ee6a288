//! Both bounds at every moment.

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use parallel_event_bus::engine::capacity::{Capacity, MailboxLimits};

#[test]
fn no_more_than_the_bounds_allow_waits_at_any_moment() {
    loom::model(|| {
        let capacity = Arc::new(Capacity::new(MailboxLimits { max_messages: 2, max_bytes: 10 }));
        // A lower bound of the events that wait: counted after room was taken, and before it is given back.
        let waiting = Arc::new(AtomicUsize::new(0));
        let threads = [[7, 4], [3, 20]].map(|sizes| {
            let (capacity, waiting) = (capacity.clone(), waiting.clone());
            thread::spawn(move || {
                for bytes in sizes {
                    if capacity.take(bytes).is_ok() {
                        let share = 1_000 + bytes;
                        let now = waiting.fetch_add(share, Ordering::AcqRel) + share;
                        assert!(now / 1_000 <= 2, "events");
                        assert!(now % 1_000 <= 10 || now / 1_000 == 1, "bytes, unless it is alone");
                        waiting.fetch_sub(share, Ordering::AcqRel);
                        capacity.give_back(1, bytes);
                    }
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(capacity.events(), 0);
        assert!(capacity.take(20).is_ok(), "alone, and no byte is missing");
    });
}

#[test]
fn a_deposit_that_fits_is_never_refused_because_of_one_that_does_not() {
    loom::model(|| {
        let capacity = Arc::new(Capacity::new(MailboxLimits { max_messages: 9, max_bytes: 10 }));
        assert!(capacity.take(1).is_ok());
        let other = capacity.clone();
        let refused = thread::spawn(move || assert!(other.take(10).is_err()));
        assert!(capacity.take(9).is_ok());
        assert!(capacity.take(1).is_err());
        refused.join().unwrap();
    });
}
