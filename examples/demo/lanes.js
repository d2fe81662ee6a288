'use strict'

// The rows of a timeline: the listeners of one event, and what their threads did beside them.

/**
 * One for each listener. Where the run knows its threads each has the rest of its thread's spans in addition, and a
 * thread that ran none of the listeners has a row of its own.
 */
function rowsOf(run, event) {
  const shift = ({ start, end }) => ({ start: start - event.start, end: end - event.start })
  const own = Object.entries(event.spans)
  if (own.every(([, { thread }]) => thread === undefined)) {
    return own.map(([name, span]) => ({ name, span: shift(span) }))
  }
  const lanes = lanesOf(run)
  const beside = (thread, span) => during(event, lanes.get(thread)).filter((each) => each !== span)
  const listeners = own.map(([name, span]) => ({
    name: `${name}, ${nameOf(span.thread)}`,
    span: shift(span),
    others: beside(span.thread, span).map(shift),
  }))
  const used = new Set(own.map(([, { thread }]) => thread))
  const unused = Array.from(lanes.keys()).filter((thread) => !used.has(thread))
  return [...listeners, ...unused.map((thread) => ({ name: nameOf(thread), others: beside(thread).map(shift) }))]
}

/** The spans of each thread, in the order of their ids. */
function lanesOf({ events }) {
  const spans = Array.from(events.values()).flatMap((event) => Object.values(event.spans))
  const ids = Array.from(new Set(spans.map(({ thread }) => thread))).sort((one, other) => one - other)
  return new Map(ids.map((id) => [id, spans.filter(({ thread }) => thread === id)]))
}

/** Those that ran while the event was in flight, and no longer. */
function during({ start, end }, spans) {
  return spans
    .filter((span) => span.start < end && span.end > start)
    .map((span) => (span.end > end ? { ...span, end } : span))
}

/** The main thread has the id 0. */
function nameOf(thread) {
  return thread === 0 ? 'here' : `thread ${thread}`
}

module.exports = { rowsOf }
