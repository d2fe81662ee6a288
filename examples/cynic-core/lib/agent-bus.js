'use strict'

// The bus of the agents. It was asynchronous before: agents get a message together and are awaited, and one that fails
// does not concern the others. So nothing here has changed, and nothing of the other buses is needed.

class AgentBus {
  /** @type {Map<string, (message: unknown) => unknown>} */
  #agents = new Map()

  /** Returns a function that takes the agent off the bus. */
  register(name, handler) {
    this.#agents.set(name, handler)
    return () => {
      this.#agents.delete(name)
    }
  }

  /** Resolves to the agent's reply. Rejects with its error, and when there is no such agent. */
  async send(name, message) {
    const handler = this.#agents.get(name)
    if (handler === undefined) throw new Error(`There is no agent "${name}"`)
    return handler(message)
  }

  /** Sends to every agent at the same time. Resolves to the replies and the errors, by name. */
  async broadcast(message) {
    const names = [...this.#agents.keys()]
    const settled = await Promise.allSettled(names.map((name) => this.send(name, message)))
    const answers = new Map()
    const errors = new Map()
    settled.forEach(({ status, value, reason }, index) => {
      if (status === 'fulfilled') answers.set(names[index], value)
      else errors.set(names[index], reason)
    })
    return { answers, errors }
  }
}

module.exports = { AgentBus }
