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
 * @param {string | URL | Array<string | URL>} url
 * @param {object} options
 */
async function connect(url, options) {
  const { schemes, checked } = optionsOf(url, options)
  const has = native.linkSchemes?.() ?? []
  const missing = schemes.find((scheme) => !has.includes(scheme))
  if (missing !== undefined) {
    throw linkError(
      'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
      `this build for ${process.platform} has no links to '${missing}:'`,
    )
  }
  claimChannels(native)
  return Link.open(checked)
}

module.exports = { connect }
