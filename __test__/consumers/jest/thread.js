'use strict'

// What the thread of `bus.test.js` listens to.

module.exports = (bus) => {
  bus.on('doubled', (value) => value * 2)
}
