'use strict'

// As a project has it that sets nothing.

module.exports = {}
