//! Both bounds at every moment.

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use parallel_event_bus::core::quota::{Limits, Quota};

#[test]
fn no_more_than_the_bounds_allow_waits_at_any_moment() {
    loom::model(|| {
        let quota = Arc::new(Quota::new(Limits { messages: 2, bytes: 10 }));
        // What certainly waits: counted after it was taken, and before it is given back.
        let waiting = Arc::new(AtomicUsize::new(0));
        let threads = [[7, 4], [3, 20]].map(|sizes| {
            let (quota, waiting) = (quota.clone(), waiting.clone());
            thread::spawn(move || {
                for bytes in sizes {
                    if quota.take(bytes).is_some() {
                        let share = 1_000 + bytes;
                        let now = waiting.fetch_add(share, Ordering::AcqRel) + share;
                        assert!(now / 1_000 <= 2, "messages");
                        assert!(now % 1_000 <= 10 || now / 1_000 == 1, "bytes, unless it is alone");
                        waiting.fetch_sub(share, Ordering::AcqRel);
                        quota.give_back(1, bytes);
                    }
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(quota.messages(), 0);
        assert!(quota.take(20).is_some(), "alone, and no byte is missing");
    });
}

#[test]
fn a_deposit_that_fits_is_never_refused_because_of_one_that_does_not() {
    loom::model(|| {
        let quota = Arc::new(Quota::new(Limits { messages: 9, bytes: 10 }));
        assert!(quota.take(1).is_some());
        let other = quota.clone();
        let refused = thread::spawn(move || assert!(other.take(10).is_none()));
        assert!(quota.take(9).is_some());
        assert!(quota.take(1).is_none());
        refused.join().unwrap();
    });
}
