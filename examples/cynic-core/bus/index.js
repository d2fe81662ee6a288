'use strict'

// @cynic/core/bus: where the application imports its bus from, so that one file knows which package it is.

const { ParallelEventBus, createParallelEventBus } = require('@cynic/parallel-event-bus')

module.exports = { ParallelEventBus, createParallelEventBus }
