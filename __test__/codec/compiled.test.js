'use strict'

// The promises of the codec, for shapes that were sent so often that compiled code writes and reads them.

const { compile } = require('../fixtures/codec.js')

compile()
require('./values.test.js')
require('./errors.test.js')
