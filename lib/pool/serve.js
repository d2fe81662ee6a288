'use strict'

// A thread of a pool, from within: makes its bus, has the program's function register listeners there, and tells the pool
// that it has, or why it could not. Afterwards it does as the pool says. They talk over a port of their own.

const { setInterval } = require('node:timers')
const { ParallelEventBus } = require('../bus.js')
const { leaveExitReason } = require('../channel/exit-reason.js')
const { Encoder } = require('../codec/index.js')
const { Gate } = require('../local/gate.js')
const { STATE } = require('../state.js')
const { FailureRelay } = require('./failure-relay.js')

/**
 * @typedef {object} About what a thread is told of its pool
 * @property {string} channel
 * @property {string} group
 * @property {number} [maxQueue] number of events that wait for the pool at most, beyond those that each thread `takes`
 * @property {number} takes
 * @property {object} busOptions further options of the thread's bus
 * @property {number} [concurrency] number of calls of the group's listeners that run at once in the thread
 * @property {boolean} relays true if somebody handles the failures of its listeners
 * @property {unknown} [workerData] for the function that registers the listeners
 * @property {{ beats: Int32Array, every: number }} [pulse] where to beat, and how often
 */

/**
 * Serves a pool, to the end of the thread.
 *
 * @param {import('node:worker_threads').MessagePort} port
 * @param {About} about
 * @param {() => Promise<(bus: ParallelEventBus) => unknown>} load returns the function that registers the listeners; fails
 * with a message for the pool
 */
async function serve(port, about, load) {
  try {
    await start(port, about, load)
  } catch (failure) {
    port.postMessage(failure)
    process.exit(1)
  }
}

async function start(port, { channel, group, concurrency, maxQueue, takes, busOptions, relays, pulse }, load) {
  if (pulse !== undefined) beat(pulse)
  const register = await load()
  const bus = new ParallelEventBus({ channel, group, ...busOptions })
  if (Number.isFinite(concurrency)) bus[STATE].listeners.gate = new Gate(concurrency)
  if (Number.isFinite(maxQueue)) bus[STATE].member.boundQueue(maxQueue, takes)
  const relay = new FailureRelay(port)
  relay.relay(bus, relays)
  process.on('exit', () => relay.flush())
  let teardown
  port.on('message', ({ is, relays }) => {
    if (is === 'close') close(port, bus, teardown)
    else if (is === 'read') relay.wasRead()
    else relay.relay(bus, relays)
  })
  // The port does not keep the thread alive: its listeners do.
  port.unref()
  bus.ref()
  port.postMessage({ is: 'loaded' })
  try {
    teardown = await register(bus)
  } catch (error) {
    // Emitters may be waiting for listeners that were registered before.
    leaveExitReason(error)
    throw { is: 'not registered', error: encoded(error) }
  }
  port.postMessage({ is: 'ready', member: bus[STATE].member.id })
}

/** Beats whenever the event loop turns, so that the pool sees that it does. */
function beat({ beats, every }) {
  setInterval(() => Atomics.add(beats, 0, 1), every).unref()
}

async function close(port, bus, teardown) {
  await bus.close()
  try {
    if (typeof teardown === 'function') await teardown()
  } catch (error) {
    port.postMessage({ is: 'not torn down', error: encoded(error) })
  }
  // The module may have left timers and sockets behind.
  process.exit()
}

/** Encodes anything that can be thrown. `postMessage` would refuse some values, and drop properties of errors. */
function encoded(thrown) {
  const { buffer, start, end } = new Encoder(() => {}).encodeThrown(thrown, false)
  return buffer.slice(start, end)
}

module.exports = { encoded, serve }
