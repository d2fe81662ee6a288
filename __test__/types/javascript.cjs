'use strict'

// The forms of `require`, from JavaScript that the compiler checks.

const Bus = require('@cynic/parallel-event-bus')
const { ParallelEventBus, createParallelEventBus, BusClosedError } = require('@cynic/parallel-event-bus')

/** @type {import('@cynic/parallel-event-bus').ParallelEventBus<{ order: [id: number] }>} */
const bus = new ParallelEventBus()
bus.on('order', (id) => id.toFixed())
bus.emit('order', 1)
// @ts-expect-error: the id is a number
bus.emit('order', 'one')

new Bus({ maxListeners: 5 }).on('anything', (value) => value.of.any.type)
createParallelEventBus().emit('anything', 1, 2)
// @ts-expect-error: no such option
createParallelEventBus({ maxListener: 5 })

class Orders extends ParallelEventBus {
  /** @param {number} id */
  add(id) {
    return this.emit('order', id)
  }
}
new Orders().on('order', () => {}).add(1)

/** @type {import('@cynic/parallel-event-bus').Stats} */
const stats = bus.getStats()

module.exports = { stats, isClosed: (/** @type {unknown} */ error) => error instanceof BusClosedError }
