'use strict'

// The module of a pool with a listener that does nothing, and gets every event.

module.exports = (bus) => bus.on('tick', () => {}, { group: null })
