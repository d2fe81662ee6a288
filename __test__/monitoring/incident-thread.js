'use strict'

// The threads of the incident: an instrumented listener that holds its thread while it is told to, or has it die.

const { Cells } = require('../fixtures/cells.js')
const { instrument } = require('../../opentelemetry.js')
const { exporting } = require('./exporting.js')

module.exports = (bus, data) => {
  const cells = Cells.of(data)
  const { tracerProvider, meterProvider, points, spans } = exporting()
  instrument(bus, { tracerProvider, meterProvider })
  bus.on('resize', function shrink(what) {
    cells.add('started')
    // Not by `Atomics.wait`: it is to spin, as a listener does that computes.
    if (what === 'huge') while (cells.get('go') === 0);
    if (what !== 'broken') return undefined
    setImmediate(() => {
      throw new Error('out of memory for pixels')
    })
    return new Promise(() => {})
  })
  bus.on('exported', async () => {
    const ours = spans().filter(({ name }) => name === 'process resize')
    return {
      spans: ours.map(({ attributes, duration, parentSpanContext }) => ({
        attributes,
        ms: duration[0] * 1e3 + duration[1] / 1e6,
        parent: parentSpanContext?.spanId,
      })),
      waits: (await points()).get('parallel_event_bus.event.wait'),
    }
  })
}
