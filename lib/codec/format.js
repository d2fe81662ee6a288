'use strict'

// The numbers of the format: docs/codec-format.md says how they are laid out. Change both together.

/** Version of the format, in the upper half of a message's first byte. The lower half has flags. */
const VERSION = 0x10
const VERSION_MASK = 0xf0
/** Flag: objects are met twice in the message, so that the reader has to number them. */
const REFERS = 1
/** Flag: the message is a list of arguments. */
const ARGUMENTS = 2
/** Flag: the message has handles. */
const BESIDE = 4
/** Flag: a value that is none of the arguments lies before them. */
const NOTED = 8

/** A byte below this is an integer. */
const SHORT_TEXT = 0x80
/** A byte from SHORT_TEXT to below this is a string of so many Latin-1 characters. */
const TAGS = 0xc0
const LONGEST_SHORT_TEXT = TAGS - SHORT_TEXT - 1

const tags = {
  UNDEFINED: 0xc0,
  NULL: 0xc1,
  FALSE: 0xc2,
  TRUE: 0xc3,
  INTEGER: 0xc4,
  DOUBLE: 0xc5,
  BIGINT: 0xc6,
  LATIN1: 0xc7,
  WIDE: 0xc8,
  WORD: 0xc9,
  /** In the place of a property: a getter of an earlier one has deleted it. */
  ABSENT: 0xca,
  REFERENCE: 0xcb,
  OBJECT: 0xcc,
  DEFINED: 0xcd,
  DEFINED_BEFORE: 0xce,
  PAIRS: 0xcf,
  SHORT_ARRAY: 0xd0,
  ARRAY: 0xd1,
  SPARSE_ARRAY: 0xd2,
  INTEGERS: 0xd3,
  DOUBLES: 0xd4,
  MAP: 0xd5,
  SET: 0xd6,
  DATE: 0xd7,
  REGEXP: 0xd8,
  BOXED: 0xd9,
  BYTES: 0xda,
  BUFFER: 0xdb,
  RESIZABLE_BUFFER: 0xdc,
  VIEW: 0xdd,
  ERROR: 0xde,
  DOM_EXCEPTION: 0xdf,
  END: 0xe0,
  HANDLE: 0xe1,
  /** A buffer or a string that is not in the message, but beside it. */
  APART: 0xe2,
}

/** Views by their number in the format. Null where the runtime does not have the class. */
const views = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  globalThis.Float16Array ?? null,
]
/** In the place of a view's length: it goes with the length of its buffer. */
const TRACKS_LENGTH = 0xffffffff

/** Entries of a codebook. */
const book = { VERSION: 1, SHAPE: 1, WORD: 2 }

/** Largest number of keys of an object that is given a shape. */
const MOST_KEYS = 64
const MOST_SHAPES = 512
const MOST_WORDS = 256
/** Largest number of characters of a string in the codebook. */
const LONGEST_WORD = 40
/** Largest size of the codebook. A key or string that is not in it is written with each message. */
const MOST_BOOK_BYTES = 32_768

module.exports = {
  VERSION,
  VERSION_MASK,
  REFERS,
  ARGUMENTS,
  BESIDE,
  NOTED,
  SHORT_TEXT,
  TAGS,
  LONGEST_SHORT_TEXT,
  tags,
  views,
  TRACKS_LENGTH,
  book,
  MOST_KEYS,
  MOST_SHAPES,
  MOST_WORDS,
  LONGEST_WORD,
  MOST_BOOK_BYTES,
}
