'use strict'

// Long buffers and strings of messages, which are copied into memory of the engine's as they are encoded, once for all
// receivers. They cross beside their message: in a parcel, which has a number.

const native = require('../native.js')

class Parcels {
  #thread

  constructor(thread) {
    this.#thread = thread
  }

  /** Adds a buffer to a parcel, to a new one if it is 0. Returns the parcel. */
  bytes(parcel, buffer) {
    return native.keepBytes(this.#thread, parcel, new Uint8Array(buffer))
  }

  /** As `bytes`, for a string. */
  text(parcel, text, isWide) {
    return native.keepText(this.#thread, parcel, text, isWide)
  }

  /** Has the message that crosses next take a parcel along. */
  attach(parcel) {
    if (parcel !== 0) native.attachParcel(this.#thread, parcel)
  }

  /** Forgets a parcel that does not cross. */
  drop(parcel) {
    if (parcel !== 0) native.dropParcel(this.#thread, parcel)
  }
}

module.exports = { Parcels }
