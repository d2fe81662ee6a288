// The results of one run, by the ids of their rows.

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { budget } = require('../budget.js')
const { digits } = require('../table.js')

export { digits }

export class Results {
  /** @param {{ machine: object, quick: boolean, results: object[] }} json the output of `npm run bench -- --json` */
  constructor({ machine, results }) {
    this.machine = machine
    this.groups = results
    this.lines = results.flatMap(({ lines }) => lines)
  }

  get goals() {
    return budget(this.groups)
  }

  /** The line of a row, against somebody if it has several. */
  line(id, against) {
    const found = this.lines.find((line) => line.id === id && (against === undefined || line.against === against))
    if (found?.ours === undefined)
      throw new Error(`no numbers for ${id}${against === undefined ? '' : ` against ${against}`}`)
    return found
  }

  /** The payload of the events of a row. */
  payload(id) {
    return this.groups.find(({ lines }) => lines.some((line) => line.id === id)).payload
  }

  /** The lines of bursts to one thread by kind of payload, the fastest beside BroadcastChannel first. */
  get kinds() {
    const lines = this.lines.filter(({ id, ours }) => id.startsWith('kind-1-') && ours !== undefined)
    const named = lines.map((line) => ({ ...line, name: line.what.replace(/ \(.*/, '') }))
    return named.sort((one, other) => other.ratio.median - one.ratio.median)
  }

  /** The points of a curve; beside one of the others, if several were measured. */
  curve(name, against) {
    const points = this.lines.filter(
      (line) => line.curve === name && (against === undefined || line.against === against) && line.ours !== undefined,
    )
    if (points.length < 2) throw new Error(`no curve ${name}: the run was not a whole one`)
    return points.sort((a, b) => a.x - b.x)
  }
}
