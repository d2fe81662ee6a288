'use strict'

// The first events of a process: nothing is compiled yet, no key is in a codebook, no mailbox has its memory.

const { execFileSync } = require('node:child_process')
const path = require('node:path')
const { payloadInWords } = require('../payloads.js')
const { FIRST, PAYLOAD } = require('../threads/first.js')
const { US_PER_EVENT, compared } = require('./lines.js')

function firstEvents({ quick }) {
  const samples = { bus: [], BroadcastChannel: [] }
  for (let round = quick ? 5 : 25; round > 0; round--) {
    for (const [name, times] of Object.entries(samples)) times.push(inNewProcess(name) / FIRST)
  }
  const { bus, ...others } = samples
  return compared(bus, others, { BroadcastChannel: 1 }, US_PER_EVENT)
}

/** Returns how many nanoseconds its first events take. */
function inNewProcess(name) {
  const script = path.join(__dirname, '../threads/first.js')
  return Number(execFileSync(process.execPath, [script, name], { encoding: 'utf8' }))
}

module.exports = [
  {
    title: `the first ${FIRST} events of a process, to a thread, beside BroadcastChannel`,
    note:
      'Each sample is of a process of its own, and a thread that was started in it and listens. Time per event, from ' +
      `the first emit until the thread has heard all ${FIRST}. The loading before that is in the rows of \`require\` and \`spawn\`.`,
    get payload() {
      return `the ${PAYLOAD}, ${payloadInWords(PAYLOAD)}`
    },
    rows: [{ id: 'cold', what: `the first ${FIRST} events, to 1 thread`, measure: firstEvents }],
  },
]
