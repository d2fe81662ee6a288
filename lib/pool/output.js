'use strict'

// The output of the threads of a pool, where it is not to be that of the process.

/**
 * Has a thread's output written to the streams in the options. `true` has it read, and dropped: a stream that nobody reads
 * would grow.
 */
function pipeOutput(worker, { stdout, stderr }) {
  pipe(worker.stdout, stdout)
  pipe(worker.stderr, stderr)
}

/** Not `source.pipe`: its listeners on a stream that many threads write to would be warned of as a leak. */
function pipe(source, to) {
  if (to === true) source.resume()
  else if (to) {
    source.on('data', (chunk) => {
      if (to.write(chunk) !== false || typeof to.once !== 'function') return
      source.pause()
      to.once('drain', () => source.resume())
    })
  }
}

module.exports = { pipeOutput }
