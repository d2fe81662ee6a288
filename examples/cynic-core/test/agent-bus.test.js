'use strict'

// AgentBus: as it was, and working beside the buses that have moved.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { AgentBus, CoreBus, ServicesBus, UnifiedBus } = require('@cynic/core')

test('agents get a request together, and one that fails does not concern the others', async () => {
  const bus = new AgentBus()
  const order = []
  let answerFirst
  const first = new Promise((resolve) => {
    answerFirst = resolve
  })
  bus.register('guardian', async () => {
    order.push('guardian asked')
    return first
  })
  bus.register('scout', () => {
    order.push('scout asked')
    answerFirst('safe')
    return 'seen'
  })
  bus.register('lost', () => {
    throw new Error('no')
  })
  const { answers, errors } = await bus.broadcast('look')
  assert.deepEqual(order, ['guardian asked', 'scout asked'])
  assert.deepEqual(
    [...answers],
    [
      ['guardian', 'safe'],
      ['scout', 'seen'],
    ],
  )
  assert.equal(errors.get('lost').message, 'no')
})

test('send reaches one agent, that is there', async () => {
  const bus = new AgentBus()
  const leave = bus.register('echo', (message) => message)
  assert.equal(await bus.send('echo', 1), 1)
  leave()
  await assert.rejects(bus.send('echo', 1), { message: 'There is no agent "echo"' })
})

test('an event goes from bus to bus, and an agent replies', async () => {
  const [services, core, unified, agents] = [new ServicesBus(), new CoreBus(), new UnifiedBus(), new AgentBus()]
  services.subscribe('file:changed', ({ data }) => core.publish('judge', data))
  core.subscribe('judge', ({ payload }) => unified.request('judgment:code:asked', payload).then(done))
  unified.subscribe('judgment:*:asked', async (event) => event.reply(await agents.send('judge', event.payload)))
  agents.register('judge', (file) => `${file} is good`)
  let done
  const verdict = new Promise((resolve) => {
    done = resolve
  })
  services.publish('file:changed', 'main.js')
  assert.equal(await verdict, 'main.js is good')
})
