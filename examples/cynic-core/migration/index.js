'use strict'

// @cynic/core/migration: the gains of moving a bus from one base class to the other, measured.

const { check } = require('./check.js')
const { criteriaOf } = require('./criteria.js')
const { record } = require('./recorder.js')

module.exports = { check, criteriaOf, record }
