'use strict'

// The view of a bus for util.inspect, and so for console.log: its channel, the number of listeners of each event, the
// number of pending events, and the fields that a subclass has added.

const { EventEmitter } = require('node:events')
const { inspect } = require('node:util')

/** EventEmitter's own fields, by their names in this version of Node. */
const INTERNAL = new Set(['domain', ...Reflect.ownKeys(new EventEmitter({ captureRejections: true }))])

/** @type {WeakMap<object, object>} one for each bus, so that util.inspect notices a bus that refers to itself */
const views = new WeakMap()

/** @param {{ channel: string | undefined, pending: number, closed: boolean }} state unknown to EventEmitter */
function viewOf(bus, { channel, pending, closed }) {
  const view = views.get(bus) ?? emptyView(bus)
  for (const key of Reflect.ownKeys(view)) if (key !== inspect.custom) delete view[key]
  if (channel !== undefined) view.channel = channel
  view.events = counts(bus)
  view.pending = pending
  if (closed) view.closed = true
  for (const key of Reflect.ownKeys(bus)) {
    if (!INTERNAL.has(key)) Object.defineProperty(view, key, fieldOf(bus, key))
  }
  return view
}

/** Returns an object of the bus's class, which util.inspect shows as it is. */
function emptyView(bus) {
  const view = Object.create(Object.getPrototypeOf(bus), { [inspect.custom]: { value: undefined } })
  views.set(bus, view)
  return view
}

function counts({ _events = {} }) {
  return Object.fromEntries(
    Reflect.ownKeys(_events).map((event) => [event, typeof _events[event] === 'function' ? 1 : _events[event].length]),
  )
}

/** Returns the field as it is, a getter unread. It can be removed when the bus is shown again. */
function fieldOf(bus, key) {
  return { ...Object.getOwnPropertyDescriptor(bus, key), configurable: true }
}

module.exports = { viewOf }
