'use strict'

// @cynic/core: the buses of the application, and the class they are built on.

const { ParallelEventBus, createParallelEventBus } = require('./bus/index.js')
const { AgentBus } = require('./lib/agent-bus.js')
const { CoreBus } = require('./lib/core-bus.js')
const { ServicesBus } = require('./lib/services-bus.js')
const { UnifiedBus } = require('./lib/unified-bus.js')

module.exports = { ParallelEventBus, createParallelEventBus, AgentBus, CoreBus, ServicesBus, UnifiedBus }
