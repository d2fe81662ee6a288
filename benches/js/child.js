'use strict'

// Measures one row, named by its id, and prints its lines as JSON. A row has a process to itself, so that V8's knowledge
// of one does not slow another; its contestants share that process, as they would in a user's.
// By hand, to profile: node --expose-gc --cpu-prof benches/js/child.js deliver-3-emitter

const { FULL, QUICK } = require('./measure.js')
const groups = require('./rows/index.js')

async function main([id, mode]) {
  const row = groups.flatMap(({ rows }) => rows).find((each) => each.id === id)
  if (row === undefined) throw new Error(`there is no row ${id}`)
  console.log(JSON.stringify(await row.measure(mode === 'quick' ? QUICK : FULL)))
}

main(process.argv.slice(2))
