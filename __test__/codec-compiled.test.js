'use strict'

// What the codec promises, in a thread that has read so many messages that it reads with compiled code.

const { compile } = require('./fixtures/codec.js')

compile()
require('./codec.test.js')
require('./codec-roads.test.js')
