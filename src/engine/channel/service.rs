//! How long a member takes from one start to the next, as seen at ticks.
//!
//! The time that a run will take is not known. But the longer it has run, the longer it will go on, as a rule. So the
//! time that it has taken is also the guess for the time that is left. That suits uneven runs. Where all take the same
//! time, no guess decides anything, as all members are equally far behind.

/// Number of starts a tick from which on a member is not slow, if it is through with all in so many ticks.
const QUICK: u64 = 8;
const SOON: u64 = 4;

/// A tick, in the units of the times here.
pub(super) const TICK: u64 = 256;

/// The starts of one member's endpoint. See the [module](self).
#[derive(Default)]
pub(super) struct Service {
    /// Number of starts at the last tick.
    started: u64,
    /// Ticks since there was one.
    since: u64,
    /// The time between two of late, in units.
    usual: u64,
}

impl Service {
    /// Notes a tick. Returns whether deliveries may wait for long: unless it starts so many that it is through with
    /// them before others could take them over. Of a look that is no tick, the time since the last one is not known. It
    /// says nothing of how long anything takes, nor that the member is quick.
    pub(super) fn tick(&mut self, started: u64, in_flight: usize, is_tick: bool) -> bool {
        let rate = started - std::mem::replace(&mut self.started, started);
        if let Some(taken) = ((self.since + 1) * TICK).checked_div(rate) {
            if is_tick {
                self.usual = (self.usual + taken) / 2;
            }
            self.since = 0;
        } else {
            self.since = if in_flight > 0 { self.since + 1 } else { 0 };
        }
        !is_tick || rate < QUICK || in_flight as u64 > SOON * rate
    }

    /// Guesses the time until a delivery starts that has so many others before it.
    pub(super) fn wait(&self, others: usize) -> u64 {
        self.usual.max(self.since * TICK) + others as u64 * self.usual
    }
}
