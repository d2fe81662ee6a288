//! Why threads have ended, as they leave it for others.

use parallel_event_bus::engine::exit_reason;

/// Threads of this file's tests, which no other test uses.
const FIRST: u32 = 1_000;

#[test]
fn the_latest_reasons_are_kept_one_for_each_thread() {
    exit_reason::leave(1, [1].into());
    exit_reason::leave(1, [2].into());
    assert_eq!(exit_reason::of(1).as_deref(), Some(&[2][..]), "the last word counts");
    exit_reason::take_back(1);
    assert_eq!(exit_reason::of(1), None, "it goes on");

    for thread in FIRST..FIRST + 10_000 {
        exit_reason::leave(thread, thread.to_ne_bytes().into());
    }
    let kept = (FIRST..FIRST + 10_000).filter(|thread| exit_reason::of(*thread).is_some());
    let kept: Vec<u32> = kept.collect();
    assert_eq!(kept, Vec::from_iter(FIRST + 10_000 - 256..FIRST + 10_000));
}
