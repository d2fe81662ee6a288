'use strict'

// `connect`: joins channels of this process to those of the same names in other processes.

const { claimChannels } = require('../copies.js')
const { linkError } = require('../errors.js')
const native = require('../native.js')
const { Link } = require('./link.js')
const { optionsOf } = require('./options.js')

/**
 * Opens a link. See `index.d.ts`.
 *
 * @param {string | URL} url
 * @param {object} options
 */
async function connect(url, options) {
  const checked = optionsOf(url, options)
  if (native.openLink === undefined) {
    throw linkError(
      'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
      `there are no links to other processes on ${process.platform}`,
    )
  }
  claimChannels(native)
  return Link.open(checked)
}

module.exports = { connect }
