'use strict'

// The statics of EventEmitter for its defaults, with those of a bus in their place.

const events = require('node:events')
const { validateMaxListeners } = require('../validate.js')

let defaultMaxListeners = 55

/** Gives the class its `defaultMaxListeners`, which holds for buses made from then on, and `setMaxListeners`. */
function defineStatics(Class) {
  Object.defineProperty(Class, 'defaultMaxListeners', {
    enumerable: true,
    configurable: true,
    get: () => defaultMaxListeners,
    set(value) {
      validateMaxListeners(value, 'defaultMaxListeners')
      defaultMaxListeners = value
    },
  })
  // An ES module cannot import by name a property that is only inherited.
  Object.defineProperty(Class, 'captureRejections', Object.getOwnPropertyDescriptor(events, 'captureRejections'))
  /** Sets the limit of the emitters, or, without any, the default. */
  Class.setMaxListeners = function setMaxListeners(count = defaultMaxListeners, ...emitters) {
    if (emitters.length > 0) events.setMaxListeners(count, ...emitters)
    else Class.defaultMaxListeners = count
  }
}

module.exports = { defineStatics }
