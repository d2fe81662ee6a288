'use strict'

// Checks of the NATS servers and their options that `connect` is given. No message repeats a URL with a user or a password,
// or an option that is a secret.

const path = require('node:path')
const { invalidArgType, invalidArgValue } = require('../errors.js')
const { validateKeys } = require('../option-names.js')
const { validateBoolean, validateObject } = require('../validate.js')

/** Options of a link over NATS, beside those of every link. */
const OF_NATS = ['credentials', 'nkey', 'pass', 'tls', 'token', 'user']
const OF_TLS = ['ca', 'cert', 'handshakeFirst', 'key']
const FILES = ['ca', 'cert', 'key']
const PORT = 4222
const EXAMPLE = "such as 'nats://10.0.0.1:4222' or 'tls://nats.example.com'"

/**
 * Returns the servers as the engine takes them, and the proof of this process's identity.
 *
 * @param {string[]} urls
 * @param {object} options
 */
function serversOf(urls, options) {
  const parsed = urls.map(serverOf)
  const inUrl = parsed.find(({ token, user }) => token !== undefined || user !== undefined)
  if (inUrl !== undefined) {
    const { token, user, pass } = inUrl
    const other = parsed.some((each) => each.token !== token || each.user !== user || each.pass !== pass)
    if (other && parsed.length > 1) {
      throw invalidArgValue('url', 'URLs with several users', 'must have one user or token in all URLs, or none')
    }
    const doubled = ['credentials', 'nkey', 'pass', 'token', 'user'].find((name) => options[name] !== undefined)
    if (doubled !== undefined) {
      throw invalidArgValue('url', 'one with a user', `must have no user beside options.${doubled}`)
    }
  }
  return {
    servers: parsed.map(({ server }) => server),
    ...identityOf(inUrl ?? options),
    ...tlsOf(options.tls),
  }
}

function serverOf(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hostname === '' || !['', '/'].includes(url.pathname) || url.search + url.hash !== '') {
    throw invalidArgValue('url', 'one that has more or less', `must have a host, and perhaps a port, ${EXAMPLE}`)
  }
  const [user, pass] = [url.username, url.password].map((part) => (part === '' ? undefined : decoded(part)))
  const server = `${url.protocol}//${url.hostname}:${url.port || PORT}`
  return pass === undefined ? { server, token: user } : { server, user: user ?? '', pass }
}

function decoded(part) {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalidArgValue('url', 'one with a wrong % in its user', 'must have %25 for %')
  }
}

/** Of several proofs the server would see one, and nobody could tell which. */
function identityOf({ token, user, pass, nkey, credentials }) {
  const strings = { token, user, pass, nkey, credentials }
  for (const [name, value] of Object.entries(strings)) {
    if (value !== undefined && typeof value !== 'string') {
      throw invalidArgType(`options.${name}`, 'of type string', typeof value)
    }
  }
  const given = Object.keys({ token, user, nkey, credentials }).filter((name) => strings[name] !== undefined)
  if (given.length > 1) {
    throw invalidArgValue(`options.${given[1]}`, 'something', `must not be beside options.${given[0]}`)
  }
  if ((user === undefined) !== (pass === undefined)) {
    const missing = user === undefined ? 'user' : 'pass'
    throw invalidArgValue(`options.${missing}`, undefined, 'must be given: user and pass are a pair')
  }
  if (credentials !== undefined) validateFile(credentials, 'options.credentials')
  return strings
}

function tlsOf(tls) {
  if (tls === undefined || tls === false) return { tlsRequired: false, tlsFirst: false }
  if (tls === true) return { tlsRequired: true, tlsFirst: false }
  validateObject(tls, 'options.tls')
  validateKeys(tls, 'options.tls', OF_TLS)
  const { handshakeFirst = false } = tls
  validateBoolean(handshakeFirst, 'options.tls.handshakeFirst')
  for (const name of FILES) {
    if (tls[name] !== undefined) validateFile(tls[name], `options.tls.${name}`)
  }
  const { ca, cert, key } = tls
  if ((cert === undefined) !== (key === undefined)) {
    const missing = cert === undefined ? 'cert' : 'key'
    throw invalidArgValue(`options.tls.${missing}`, undefined, 'must be given: cert and key are a pair')
  }
  return { tlsRequired: true, tlsFirst: handshakeFirst, ca, cert, key }
}

/** A relative path would be another file after `process.chdir`, when a connection is made again. */
function validateFile(value, name) {
  if (typeof value !== 'string') throw invalidArgType(name, 'the path of a file, of type string', typeof value)
  // A value that is no path may be a secret.
  if (!path.isAbsolute(value)) throw invalidArgValue(name, 'something else', 'must be the absolute path of a file')
}

module.exports = { OF_NATS, serversOf }
