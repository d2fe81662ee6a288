'use strict'

// CoreBus for the migration check. It holds its bus, so it is given the class of that one.

const { CoreBus } = require('../lib/core-bus.js')

module.exports = function createCoreBus(Emitter) {
  return new CoreBus({ Emitter })
}
