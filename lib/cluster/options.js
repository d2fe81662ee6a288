'use strict'

// Checks of the arguments of `connect`, and their defaults.

const os = require('node:os')
const path = require('node:path')
const { toEngine } = require('../channel/names.js')
const { invalidArgType, invalidArgValue } = require('../errors.js')
const { validateKeys } = require('../option-names.js')
const { validateInteger, validateName, validateObject } = require('../validate.js')
const { OF_NATS, serversOf } = require('./servers.js')

const LONGEST_TIMEOUT = 2 ** 31 - 1
/** Bytes of the largest event that may be asked for: a frame has to fit into memory more than once. */
const LARGEST_EVENT = 2 ** 30
/** Bytes of the names of all channels: a greeting has them all. */
const MOST_NAMES = 60_000

const OF_CONNECT = ['channels', 'linkTimeout', 'maxEvent', 'maxUnacknowledged', 'name', 'peerTimeout', 'space']
const SCHEMES = ['unix', 'nats', 'tls']
const EXAMPLE = "such as 'unix:/run/app' or 'nats://10.0.0.1:4222'"
const OF_UNACKNOWLEDGED = ['bytes', 'messages']

/**
 * Returns where a link leads: a directory, or servers.
 *
 * @throws for a URL of another kind; its words are not repeated, because it may have a password
 */
function targetOf(texts, schemes, options) {
  if (!schemes.includes('unix')) return { nats: serversOf(texts, options) }
  if (texts.length > 1) throw invalidArgValue('url', 'several', 'must be one directory, or servers only')
  const [text] = texts
  // As a path, or as that of a URL: `unix:C:\\run` and `unix:///C:/run`.
  const local = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
  const directory = path.sep === '\\' ? local.replace(/^\/(?=[a-z]:)/i, '') : local
  if (!path.isAbsolute(directory)) throw invalidArgValue('url', text, 'must have an absolute path, after unix:')
  const unfit = OF_NATS.find((name) => options[name] !== undefined)
  if (unfit !== undefined) {
    throw invalidArgValue(`options.${unfit}`, 'something', 'is for servers: of a directory, the permissions count')
  }
  return { directory }
}

function schemeOf(text) {
  if (typeof text !== 'string') throw invalidArgType('url', `of type string, ${EXAMPLE}`, text)
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1].toLowerCase()
  if (SCHEMES.includes(scheme)) return scheme
  const found = scheme === undefined ? 'one without a scheme' : `one that begins with '${scheme}:'`
  throw invalidArgValue('url', found, `must be 'unix:' and a directory, or a NATS server, ${EXAMPLE}`)
}

/** Returns the options as the engine takes them. */
function optionsOf(url, options) {
  const texts = (Array.isArray(url) ? url : [url]).map((each) => (each instanceof URL ? each.href : each))
  if (texts.length === 0) throw invalidArgValue('url', url, 'must name a server')
  const schemes = texts.map(schemeOf)
  validateObject(options, 'options')
  validateKeys(options, 'options', [...OF_CONNECT, ...OF_NATS])
  const target = targetOf(texts, schemes, options)
  const { channels, space = 'default', name = `${os.hostname()}:${process.pid}` } = options
  const { peerTimeout = 5_000, linkTimeout = 30_000, maxUnacknowledged = {}, maxEvent = 16 * 2 ** 20 } = options
  validateChannels(channels)
  validateName(space, 'options.space')
  validateName(name, 'options.name')
  validateInteger(peerTimeout, 'options.peerTimeout', 1, LONGEST_TIMEOUT)
  validateInteger(linkTimeout, 'options.linkTimeout', 1, LONGEST_TIMEOUT)
  validateInteger(maxEvent, 'options.maxEvent', 1, LARGEST_EVENT)
  validateObject(maxUnacknowledged, 'options.maxUnacknowledged')
  validateKeys(maxUnacknowledged, 'options.maxUnacknowledged', OF_UNACKNOWLEDGED)
  const { messages = 8_192, bytes = 8 * 2 ** 20 } = maxUnacknowledged
  validateInteger(messages, 'options.maxUnacknowledged.messages', 1, Number.MAX_SAFE_INTEGER)
  validateInteger(bytes, 'options.maxUnacknowledged.bytes', 1, Number.MAX_SAFE_INTEGER)
  const checked = {
    ...target,
    space: toEngine(space),
    name: toEngine(name),
    channels: channels.map(toEngine),
    peerTimeout,
    linkTimeout,
    maxMessages: messages,
    maxBytes: bytes,
    maxEvent,
  }
  return { schemes, checked }
}

function validateChannels(channels) {
  if (!Array.isArray(channels)) {
    throw invalidArgType('options.channels', "an instance of Array, such as ['orders']", channels)
  }
  if (channels.length === 0) throw invalidArgValue('options.channels', channels, 'must name a channel')
  for (const [index, channel] of channels.entries()) validateName(channel, `options.channels[${index}]`)
  const bytes = Buffer.byteLength(channels.join())
  if (bytes > MOST_NAMES) {
    throw invalidArgValue('options.channels', `${bytes} bytes`, `may have ${MOST_NAMES} bytes of names`)
  }
}

module.exports = { optionsOf }
