//! The memory of a link over servers for processes that come and go.

use std::time::{Duration, Instant};

use parallel_event_bus::cluster::link::nats::absence::Absence;

use crate::node::id;

#[test]
fn processes_that_have_left_are_forgotten_in_time() {
    let (mut absence, begin) = (Absence::default(), Instant::now());
    let mut most = 0;
    for number in 1..=10_000 {
        let now = begin + number * Duration::from_secs(1);
        assert!(absence.heard(id(number.into()), 0, now));
        absence.heard(id(0), 3, now);
        most = most.max(absence.known());
    }
    assert!(most < 200, "{most} of ten thousand are kept");
    assert_eq!(absence.channel(id(0)), Some(3), "one that goes on is not forgotten");
    assert_eq!(absence.channel(id(1)), None);
}

#[test]
fn a_process_that_is_missing_for_a_while_is_gone_unless_it_is_heard() {
    let (mut absence, begin) = (Absence::default(), Instant::now());
    let after = |ms| begin + Duration::from_millis(ms);
    absence.heard(id(1), 0, begin);
    assert!(absence.must_ask(id(1), begin) && !absence.must_ask(id(1), after(10)));
    assert!(!absence.missing(id(1), after(10)) && !absence.missing(id(1), after(700)));
    absence.heard(id(1), 0, after(800));
    assert!(!absence.missing(id(1), after(900)), "it has come back");
    assert_eq!(absence.questions(after(1_200)), [id(1)]);
    assert!(absence.missing(id(1), after(1_800)) && absence.known() == 0);
}
