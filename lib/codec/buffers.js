'use strict'

// ArrayBuffers and views on them, which stay views of one buffer where they were.

const { types } = require('node:util')
const { TRACKS_LENGTH, tags, views } = require('./format.js')
const { refusal, refuse } = require('./refusal.js')

const getters = (prototype, ...names) => names.map((name) => Object.getOwnPropertyDescriptor(prototype, name)?.get)
const TypedArray = Object.getPrototypeOf(Uint8Array)
const [bufferOf, offsetOf, bytesOf] = getters(TypedArray.prototype, 'buffer', 'byteOffset', 'byteLength')
const { fill } = TypedArray.prototype
const [bufferOfDataView, offsetOfDataView, bytesOfDataView] = getters(
  DataView.prototype,
  'buffer',
  'byteOffset',
  'byteLength',
)
const { get: nameOf } = Object.getOwnPropertyDescriptor(TypedArray.prototype, Symbol.toStringTag)
// Not in every runtime.
const [sizeOf, resizableOf, maximumOf, detachedOf] = getters(
  ArrayBuffer.prototype,
  'byteLength',
  'resizable',
  'maxByteLength',
  'detached',
)

const UINT8 = views.indexOf(Uint8Array)
const DATA_VIEW = views.indexOf(DataView)
const numbers = new Map(views.map((View, number) => [View?.name, number]))
/** Largest number of bytes. A longer view could not be told from one that tracks the length of its buffer. */
const LONGEST = TRACKS_LENGTH - 1
const ALIGNMENT = 8
/** Number of bytes below which they are copied as fast without a padding. */
const SHORTEST_ALIGNED = 128

function writeView(writer, view, position) {
  const isDataView = types.isDataView(view)
  const buffer = (isDataView ? bufferOfDataView : bufferOf).call(view)
  // Whether it goes with the length of memory that grows cannot be found out without growing that. And V8 keeps a view
  // and its buffer together.
  if (types.isSharedArrayBuffer(buffer)) return writer.handle(view, position, buffer)
  const number = isDataView ? DATA_VIEW : numbers.get(nameOf.call(view))
  if (number === undefined) refuse(view)
  const isResizable = isAbleToResize(buffer)
  if (isDetached(buffer)) refuseDetached()
  if (isResizable && isOutOfBounds(view, isDataView)) refuse(view)
  const offset = (isDataView ? offsetOfDataView : offsetOf).call(view)
  const length = (isDataView ? bytesOfDataView : bytesOf).call(view)
  const size = sizeOf.call(buffer)
  if (number === UINT8 && !isResizable && length === size && !writer.goApart(size)) {
    const met = writer.meet(buffer)
    if (met < 0) return writeRaw(writer, tags.BYTES, buffer, size, position, position + 5)
    return writeHead(writer, number, 0, length, writer.reference(met, headEnd(position)), position)
  }
  const tracks = isResizable && isTracking(view, isDataView)
  const end = writer.object(buffer, headEnd(position))
  return writeHead(writer, number, offset, tracks ? TRACKS_LENGTH : length, end, position)
}

function headEnd(position) {
  return position + 10
}

/** Writes the head of a view in front of its buffer, which is written by then. */
function writeHead(writer, number, offset, length, end, position) {
  writer.bytes[position] = tags.VIEW
  writer.bytes[position + 1] = number
  writer.view.setUint32(position + 2, offset, true)
  writer.view.setUint32(position + 6, length, true)
  return end
}

/**
 * Returns true if a view of a resizable buffer tracks the buffer's length. No property says so for a view that ends with
 * its buffer, so a clone is made, and its buffer made shorter or longer.
 */
function isTracking(view, isDataView) {
  const clone = structuredClone(view)
  const { buffer, byteLength, byteOffset } = clone
  if (byteLength > 0) {
    buffer.resize(byteOffset + byteLength - 1)
    return !isOutOfBounds(clone, isDataView)
  }
  buffer.resize(buffer.maxByteLength)
  return clone.byteLength > 0
}

function isOutOfBounds(view, isDataView) {
  try {
    // Fills nothing.
    if (isDataView) bytesOfDataView.call(view)
    else fill.call(view, 0, 0, 0)
    return false
  } catch {
    return true
  }
}

function writeBuffer(writer, buffer, position) {
  if (isDetached(buffer)) refuseDetached()
  const size = sizeOf.call(buffer)
  if (size > LONGEST) throw refusal('A buffer of more than 4 GiB could not be cloned.')
  if (!isAbleToResize(buffer) && writer.goApart(size)) return writer.bufferApart(buffer, position)
  if (!isAbleToResize(buffer)) return writeRaw(writer, tags.BUFFER, buffer, size, position, position + 5)
  writer.view.setFloat64(position + 5, maximumOf.call(buffer), true)
  return writeRaw(writer, tags.RESIZABLE_BUFFER, buffer, size, position, position + 13)
}

/** Writes a tag, a number of bytes, and behind a padding these, from `start` on. */
function writeRaw(writer, tag, buffer, size, position, start) {
  writer.bytes[position] = tag
  writer.view.setUint32(position + 1, size, true)
  start = writePadding(writer, size, start)
  if (start + size > writer.high) writer.grow(start, size)
  writer.bytes.set(new Uint8Array(buffer), start)
  return start + size
}

/** Pads: V8 copies into shared memory byte by byte, unless both sides are aligned. */
function writePadding(writer, size, start) {
  const { bytes } = writer
  const padding = size < SHORTEST_ALIGNED ? 0 : -(start + 1) & (ALIGNMENT - 1)
  bytes[start++] = padding
  for (let left = padding; left > 0; left--) bytes[start++] = 0
  return start
}

function isAbleToResize(buffer) {
  return resizableOf?.call(buffer) ?? false
}

function isDetached(buffer) {
  if (sizeOf.call(buffer) > 0) return false
  if (detachedOf !== undefined) return detachedOf.call(buffer)
  try {
    return new Uint8Array(buffer) === null
  } catch {
    return true
  }
}

function refuseDetached() {
  throw refusal('An ArrayBuffer is detached and could not be cloned.')
}

/** Reads so many bytes, behind their padding. */
function readRaw(reader, size) {
  const padding = reader.byte()
  if (padding >= ALIGNMENT) reader.fail()
  reader.at += padding
  return reader.copy(reader.left(size, 1))
}

function readBytes(reader) {
  const place = reader.reserve()
  const bytes = readRaw(reader, reader.uint32())
  // V8 makes the buffer of a short view when it is first read, which takes longer than the rest.
  if (reader.objects !== null) reader.register(bytes.buffer)
  return reader.fill(place, bytes)
}

function readBuffer(reader) {
  return reader.register(readRaw(reader, reader.uint32()).buffer)
}

function readResizable(reader) {
  const size = reader.uint32()
  const maxByteLength = reader.double()
  if (!(maxByteLength >= size)) reader.fail()
  const bytes = readRaw(reader, size)
  const buffer = new ArrayBuffer(size, { maxByteLength })
  new Uint8Array(buffer).set(bytes)
  return reader.register(buffer)
}

function readView(reader) {
  const place = reader.reserve()
  const View = views[reader.byte()]
  const offset = reader.uint32()
  const length = reader.uint32()
  const buffer = reader.value()
  // A runtime without Float16Array.
  if (View == null || !types.isArrayBuffer(buffer)) reader.fail()
  const elements = length === TRACKS_LENGTH ? undefined : length / (View.BYTES_PER_ELEMENT ?? 1)
  if (elements !== undefined && !Number.isInteger(elements)) reader.fail()
  return reader.fill(place, new View(buffer, offset, elements))
}

module.exports = { isDetached, readBuffer, readBytes, readResizable, readView, writeBuffer, writeView }
