'use strict'

// Functions for one shape of object each, in which every property has a line of its own: V8 optimises them like code
// that was written by hand for this object. Where no code may be made from strings, or where a shape is not common
// enough, loops over the keys do the same.

const { absent } = require('./define.js')
const { DOUBLE, FALSE, INTEGER, NULL, TRUE, UNDEFINED, WORD } = require('./format.js').tags
const { SHORT_TEXT, TAGS } = require('./format.js')

/** Returns a function that writes the values of a shape's objects; null where none can be made. */
function compileWriter({ keys, sites }) {
  const lines = keys.map((key, index) => {
    const site = sites[index]
    const name = JSON.stringify(key)
    const otherwise = `position = writer.field(value, position, object, ${name}, sites[${index}])`
    return `value = object[${name}]\n${lineFor(site, index, name, otherwise)}`
  })
  return make(
    ['sites'],
    `return (writer, object, position) => {
      let value
      ${lines.join('\n')}
      return position
    }`,
    [sites],
  )
}

function lineFor(site, index, name, otherwise) {
  switch (site.kind) {
    case 'number':
      return `if (typeof value === 'number') position = writer.number(value, position); else ${otherwise}`
    case 'string':
      return lineForString(site, otherwise)
    case 'object':
      return `if (typeof value === 'object' && value !== null) {
        position = writer.object(value, position, sites[${index}])
        if (position > writer.high) writer.grow(position, 0)
      } else ${otherwise}`
    case 'boolean':
      return `if (typeof value === 'boolean') writer.bytes[position++] = value ? ${TRUE} : ${FALSE}; else ${otherwise}`
    case 'undefined':
      return `if (value === undefined && ${name} in object) writer.bytes[position++] = ${UNDEFINED}; else ${otherwise}`
    case 'null':
      return `if (value === null) writer.bytes[position++] = ${NULL}; else ${otherwise}`
    default:
      return otherwise
  }
}

function lineForString({ words, numbers }, otherwise) {
  const known = words.map(
    (word, index) =>
      `if (value === ${JSON.stringify(word)} && writer.usesBook) position = writer.word(${numbers[index]}, position); else `,
  )
  const other = words.length > 0 ? otherwise : `position = writer.string(value, position)`
  return `${known.join('')}if (typeof value === 'string') ${other}; else ${otherwise}`
}

/**
 * Returns a function that reads an object of a shape, where nothing in the message refers to another; null where none
 * can be made.
 *
 * @param {string[]} keys
 * @param {number[]} heads the first byte that the value of each key had the last time
 */
function compileReader(keys, heads) {
  const lines = keys.map((_, index) => `if (at >= end) reader.fail()\n${readingLine(heads[index], `v${index}`)}`)
  const properties = keys.map((key, index) => `[${JSON.stringify(key)}]: v${index}`)
  const samples = keys.map((key, index) => `[${JSON.stringify(key)}]: ${sampleOf(heads[index])}`)
  return make(
    ['absent', 'without'],
    `const read = (reader) => {
      const { bytes, end } = reader
      let at = reader.at, lacks = false, head${keys.map((_, index) => `, v${index}`).join('')}
      ${lines.join('\n')}
      reader.at = at
      const object = { ${properties.join(', ')} }
      return lacks ? without(object) : object
    }
    // Without an object of its kind V8 would throw its optimised code away.
    read.sample = { ${samples.join(', ')} }
    return read`,
    [absent, withoutAbsent],
  )
}

/** A value of the kind that such a first byte begins. */
function sampleOf(head) {
  if (head < SHORT_TEXT || head === INTEGER) return '0'
  if (head < TAGS || head === WORD) return "''"
  if (head === TRUE || head === FALSE) return 'true'
  return head === DOUBLE ? '0.5' : 'null'
}

function readingLine(head, value) {
  const otherwise = `{ reader.at = at; ${value} = reader.field(); at = reader.at; if (${value} === absent) lacks = true }`
  if (head === WORD) {
    return `if (bytes[at] === ${WORD}) { ${value} = reader.word(at + 1); at += 2 } else ${otherwise}`
  }
  if (head < SHORT_TEXT || head === INTEGER) {
    const [short, long] = [
      `if ((head = bytes[at]) < ${SHORT_TEXT}) { ${value} = head; at++ } else`,
      `if (bytes[at] === ${INTEGER} && at + 5 <= end) { ${value} = reader.view.getInt32(at + 1, true); at += 5 } else`,
    ]
    return head === INTEGER ? `${long} ${short} ${otherwise}` : `${short} ${long} ${otherwise}`
  }
  if (head < TAGS) {
    return `if ((head = bytes[at]) >= ${SHORT_TEXT} && head < ${TAGS}) {
      ${value} = reader.latin1(at + 1, head - ${SHORT_TEXT}); at += 1 + head - ${SHORT_TEXT}
    } else ${otherwise}`
  }
  if (head === TRUE || head === FALSE) {
    return `if ((head = bytes[at]) === ${TRUE} || head === ${FALSE}) { ${value} = head === ${TRUE}; at++ } else ${otherwise}`
  }
  if (head === UNDEFINED) return `if (bytes[at] === ${UNDEFINED}) { ${value} = undefined; at++ } else ${otherwise}`
  if (head === NULL) return `if (bytes[at] === ${NULL}) { ${value} = null; at++ } else ${otherwise}`
  if (head === DOUBLE) {
    return `if (bytes[at] === ${DOUBLE} && at + 9 <= end) {
      ${value} = reader.view.getFloat64(at + 1, true); at += 9
    } else ${otherwise}`
  }
  return otherwise
}

function withoutAbsent(object) {
  for (const key of Object.keys(object)) if (object[key] === absent) delete object[key]
  return object
}

function make(names, source, values) {
  try {
    return new Function(...names, `'use strict'\n${source}`)(...values)
  } catch {
    return null
  }
}

module.exports = { compileReader, compileWriter }
