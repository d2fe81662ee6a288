'use strict'

// The statics of EventEmitter that would speak of its defaults, and set them, where a bus has its own.

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
  // What is only inherited, an ES module can not import by name.
  Object.defineProperty(Class, 'captureRejections', Object.getOwnPropertyDescriptor(events, 'captureRejections'))
  /** Of the emitters, or, where none is named, the default. */
  Class.setMaxListeners = function setMaxListeners(count = defaultMaxListeners, ...emitters) {
    if (emitters.length > 0) events.setMaxListeners(count, ...emitters)
    else Class.defaultMaxListeners = count
  }
}

module.exports = { defineStatics }
