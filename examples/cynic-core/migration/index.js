'use strict'

// @cynic/core/migration: what moving a bus from one base class to the other brings, measured.

const { check } = require('./check.js')
const { criteriaOf } = require('./criteria.js')
const { record } = require('./recorder.js')

module.exports = { check, criteriaOf, record }
