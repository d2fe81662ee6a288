'use strict'

// Reads the engine's messages to this thread that are no events: outcomes of its own events, and news of other threads.

const { Decoder } = require('../codec/index.js')
const { errorFor } = require('./failures.js')
const { isForeign, whereIs } = require('./foreign.js')
const { beginTrace } = require('../observe/begin.js')
const {
  DRAINED,
  LISTENING,
  LOST,
  LOST_COUNTED,
  LOST_STARTED,
  LOST_VARIOUS,
  NEWS,
  OVER,
  SETTLED,
  STALL,
  THREAD_EXIT,
  THREAD_EXITED,
  THREW,
  TRACE,
} = require('./protocol.js')

class NewsReader {
  /** @type {Map<number, () => void>} by thread id, called when news come that the thread has ended */
  watched = new Map()
  #link
  #messages
  /** The decoder for this thread's own events that come back as lost. */
  #own

  /**
   * @param {import('./link.js').Link} link of the thread
   * @param {import('./message-reader.js').MessageReader} messages
   */
  constructor(link, messages) {
    this.#link = link
    this.#messages = messages
    this.#own = new Decoder(
      () => link.encoder.codebook,
      (number) => link.handles.getLost(number),
    )
  }

  /** Reads the rest of a message. */
  read(kind) {
    switch (kind) {
      case SETTLED:
        return this.#readSettled()
      case LOST:
        return this.#readLost()
      case OVER:
        return this.#readOver()
      case THREAD_EXIT:
        return this.#readThreadExit()
      case STALL:
        return this.#readStall()
      case DRAINED:
        return this.#member()?.hasRoom()
      case LISTENING:
        return this.#member()?.listening.look()
      case NEWS:
        return this.#readNews()
      case TRACE:
        return beginTrace()
      default:
        // Its end, and the beginning of the next one, are not known either.
        throw new Error(`the engine has written a message of a kind that is not known: ${kind}`)
    }
  }

  // Outcomes of events of this thread

  #readSettled() {
    const messages = this.#messages
    const token = messages.word()
    const success = messages.word()
    const failures = []
    for (let left = messages.word(); left > 0; left--) failures.push(this.#readFailure())
    if (messages.word() === 0) {
      this.#link.take(token)?.settled(success, failures, undefined)
      return
    }
    const reply = messages.value()
    const error = messages.unreadable
    if (error === null) this.#link.take(token)?.settled(success, failures, reply)
    else this.#link.take(token)?.settled(0, [{ listeners: 1, kind: THREW, error }], undefined)
  }

  #readFailure() {
    const messages = this.#messages
    const listeners = messages.word()
    const threadId = messages.word()
    const kind = messages.word()
    const detail = messages.word()
    if (kind === THREAD_EXITED) this.#threadEnded(threadId)
    if (kind !== THREW) return { listeners, threadId, kind, detail, error: undefined }
    const error = messages.value()
    return { listeners, threadId, kind, detail, error: messages.unreadable ?? error }
  }

  #readLost() {
    const messages = this.#messages
    const member = this.#member()
    const flags = messages.word()
    const isVarious = (flags & LOST_VARIOUS) !== 0
    const kind = messages.word()
    const detail = messages.word()
    const listeners = messages.word()
    const count = messages.word()
    const thread = messages.word()
    const threadId = isVarious ? undefined : thread
    const event = isVarious ? undefined : messages.name()
    const args = (flags & LOST_COUNTED) === 0 ? messages.value(this.#own) : undefined
    if (kind === THREAD_EXITED && threadId !== undefined) this.#threadEnded(threadId)
    const error = errorFor(event, kind, detail, threadId, count)
    const about = { event, args, listeners, ...whereIs(threadId), count, error }
    member?.lost(about, (flags & LOST_STARTED) !== 0)
  }

  /** Reads that nobody waits for running listeners any more. Of a reason that cannot be read, undefined stands for it. */
  #readOver() {
    const messages = this.#messages
    const token = messages.word()
    const kind = messages.word()
    const detail = messages.word()
    this.#link.over(token, kind, detail, kind === THREW ? messages.value() : undefined)
  }

  // News of other threads. They are read to their end, also where their bus is closed by now.

  #readThreadExit() {
    const member = this.#member()
    const threadId = this.#messages.word()
    this.#threadEnded(threadId)
    member?.threadExited(whereIs(threadId))
  }

  #threadEnded(threadId) {
    if (isForeign(threadId)) return
    this.#link.handles.threadEnded(threadId)
    this.watched.get(threadId)?.()
  }

  #readStall() {
    const member = this.#member()
    const threadId = this.#messages.word()
    const waiting = this.#messages.word()
    const ms = this.#messages.word()
    member?.stalled({ ...whereIs(threadId), waiting, ms })
  }

  #readNews() {
    const member = this.#member()
    const what = this.#messages.word()
    const number = this.#messages.word()
    member?.told(what, number)
  }

  #member() {
    return this.#link.members.get(this.#messages.word())
  }
}

module.exports = { NewsReader }
