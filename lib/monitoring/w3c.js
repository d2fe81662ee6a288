'use strict'

// W3C Trace Context, for a program that has set no propagator of OpenTelemetry's.
// https://www.w3.org/TR/trace-context/

const api = require('@opentelemetry/api')

const HEADER = 'traceparent'
const STATE = 'tracestate'
const FORMAT = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/

const w3c = {
  inject(context, carrier, setter) {
    const span = api.trace.getSpanContext(context)
    if (span === undefined || !api.isSpanContextValid(span)) return
    const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0')
    setter.set(carrier, HEADER, `00-${span.traceId}-${span.spanId}-${flags}`)
    if (span.traceState) setter.set(carrier, STATE, span.traceState.serialize())
  },

  extract(context, carrier, getter) {
    const found = FORMAT.exec(getter.get(carrier, HEADER) ?? '')
    if (found === null) return context
    const [, traceId, spanId, flags] = found
    const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
    if (!api.isSpanContextValid(span)) return context
    const traceState = getter.get(carrier, STATE)
    if (traceState) span.traceState = api.createTraceState(traceState)
    return api.trace.setSpanContext(context, span)
  },

  fields: () => [HEADER, STATE],
}

module.exports = { w3c }
