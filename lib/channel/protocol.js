'use strict'

// Numbers that this side and the engine's binding exchange. `src/node/protocol.rs` is the twin page: it has the same
// names, draws the records, and explains them. A test compares the two.

module.exports = {
  // Flags in the first word that `read` writes: the reader has to read again, soon; and there may be something to take over.
  MORE_TO_READ: 1,
  HAS_OFFERS: 2,

  // Kinds of messages.
  BATCH: 1,
  DELIVERY: 2,
  SETTLED: 3,
  LOST: 4,
  FORGET: 5,
  THREAD_EXIT: 6,
  STALL: 7,
  DRAINED: 8,
  LISTENING: 9,
  TRACE: 10,
  OVER: 11,
  NEWS: 12,

  // News of a link, and its states.
  NEWS_PEER_JOIN: 1,
  NEWS_PEER_EXIT: 2,
  NEWS_LINK_STATE: 3,
  LINK_UP: 0,
  LINK_AWAY: 1,
  LINK_CLOSING: 2,
  LINK_CLOSED: 3,
  LINK_STATE_BITS: 2,

  // News of a link for the thread that has opened it.
  LINK_NEWS_OPENED: 1,
  LINK_NEWS_FAILED: 2,
  LINK_NEWS_SYNCED: 3,
  LINK_NEWS_WARNING: 4,
  LINK_NEWS_CLOSED: 5,

  // Flags of a delivery.
  DELIVERY_MUST_START: 1,
  DELIVERY_IS_REQUEST: 2,
  DELIVERY_IS_AWAITED: 4,
  DELIVERY_IS_FOREIGN: 8,

  // Flags of a loss.
  LOST_STARTED: 1,
  LOST_COUNTED: 2,
  LOST_VARIOUS: 4,

  // Flags of `dispatch`.
  DISPATCH_REQUEST: 1,
  DISPATCH_CANCELLABLE: 2,
  DISPATCH_AWAITED: 4,
  DISPATCH_TOLD: 8,
  DISPATCH_NAMED: 16,

  // Results of `publish` and `dispatch` in the place of a number of listeners, and a bit that they add to it.
  NEEDS_PAYLOAD: -1,
  NOT_PLAIN: -2,
  HAS_OWN: 1 << 30,
  LOOPS_BACK: 1 << 29,

  // Kinds of failures. The detail beside a kind is a time in milliseconds, the bound of a mailbox or queue, or whether
  // listeners had started.
  THREW: 0,
  TIMED_OUT: 1,
  MAILBOX_FULL: 2,
  THREAD_EXITED: 3,
  NO_MEMORY: 4,
  MAILBOX_FULL_BYTES: 5,
  QUEUE_FULL: 6,
  PEER_GONE: 7,
  TOO_LARGE: 8,

  // From this number on, threads are those of other processes.
  FIRST_FOREIGN_THREAD: 2 ** 31,

  // Words of the records of a burst: their number, the generation of listeners, and the first record.
  BURST_COUNT: 0,
  BURST_GENERATION: 1,
  BURST_FIRST: 2,
  BURST_RECORD: 3,

  // In the place of a number of bytes: they lie apart.
  APART: 2 ** 31 - 1,

  // Number of bytes of the longest payload that is written down in a burst.
  BURST_LONGEST: 16_384,

  // Bytes of the head into which messages that lie apart are read.
  HEAD_BYTES: 16_384,

  // Words of an acknowledged range: a batch, its first event, how many events, and how many listeners failed.
  ACK_WORDS: 4,
}
