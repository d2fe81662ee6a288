'use strict'

// The loads of events besides their marks: values of many kinds and sizes, which show whether they came whole.

const FILL = 7

const KINDS = {
  nothing: { most: 1, make: () => undefined, isWhole: (value) => value === undefined },
  text: {
    most: 3000,
    make: (size) => 'é'.padEnd(size, 'x'),
    isWhole: (value, size) => value.length === size && value.startsWith('é') && value.endsWith(size > 1 ? 'x' : 'é'),
  },
  plain: {
    most: 40,
    make: (size) => Array.from({ length: size }, (_, id) => ({ id, name: `row ${id}`, tags: ['a', id] })),
    isWhole: (value, size) => value.length === size && value.every(({ id, tags }, at) => id === at && tags[1] === at),
  },
  map: {
    most: 20,
    make: (size) => new Map(Array.from({ length: size }, (_, id) => [id, new Date(id)])),
    isWhole: (value, size) => value.size === size && [...value].every(([id, date]) => date.getTime() === id),
  },
  bytes: {
    most: 20_000,
    make: (size) => new Uint8Array(size).fill(FILL),
    isWhole: (value, size) => value.length === size && value.every((byte) => byte === FILL),
  },
  error: {
    most: 5,
    make: (size) => Object.assign(new RangeError('carried'), { size, cause: new Error('within') }),
    isWhole: (value, size) => value instanceof RangeError && value.size === size && value.cause.message === 'within',
  },
}

const WEIGHTS = { nothing: 6, text: 4, plain: 4, map: 1, bytes: 1, error: 0.5 }

function makeLoad(random) {
  const kind = random.weighted(WEIGHTS)
  const size = random.integer(1, KINDS[kind].most)
  return { kind, size, value: KINDS[kind].make(size) }
}

function isWhole({ kind, size, value }) {
  return KINDS[kind].isWhole(value, size)
}

module.exports = { makeLoad, isWhole }
