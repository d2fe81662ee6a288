'use strict'

// The process of one side, before or after: its bus is on one base class, and does the tasks of the check.

const { load } = require('./load.js')
const tasks = require('./tasks.js')

const [side, json] = process.argv.slice(2)
const target = JSON.parse(json)
const { on, emit, event } = target
const loaded = load(target, side)

process.on('message', async ({ task, parameters }) => {
  try {
    const create = await loaded
    process.send({ result: await tasks[task]({ bus: create(), on, emit, event }, parameters) })
  } catch (error) {
    process.send({ error: { message: error.message, stack: error.stack, code: error.code } })
  }
})
// A task that waits for the target is told of its mistake.
loaded.catch(() => {})
