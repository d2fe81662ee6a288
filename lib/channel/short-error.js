'use strict'

// Errors on their way to another thread that has not asked for them: there is a limit to what they may carry.

/** Largest size in bytes. Of a larger error only name, message and stack are left. */
const LARGEST = 65_536

/** Encodes anything that can be thrown, in so many bytes at most. */
function encodeShort(encoder, thrown) {
  const encoded = encoder.encodeThrown(thrown, false)
  if (encoded.end - encoded.start <= LARGEST) return encoded
  const [name, message, stack] = [thrown.name, thrown.message, thrown.stack].map((text) =>
    `${text}`.slice(0, LARGEST / 16),
  )
  return encoder.encodeThrown(Object.assign(new Error(message), { name, stack }), false)
}

module.exports = { encodeShort }
