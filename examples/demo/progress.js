'use strict'

// Shows how far a pass over the files is: a bar on a terminal, else one line for each pass.

const { SingleBar } = require('cli-progress')

/** `stdout` and `stderr`; the bar prefers the second, so that the first can go to a file. */
function createProgress({ stdout, stderr }) {
  const terminal = [stderr, stdout].find((stream) => stream.isTTY && process.env.TERM !== 'dumb')
  return terminal === undefined ? plainLines(stdout) : bar(terminal)
}

function bar(stream) {
  const single = new SingleBar({
    stream,
    format: '{bar} {value}/{total} files, {title}',
    barsize: 30,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    // Cuts the line rather than turn the terminal's own wrapping off, which Ctrl-C would leave so.
    linewrap: true,
  })
  // Ctrl-C ends the process in the middle of a pass, and the bar should not stay behind.
  process.once('exit', () => single.stop())
  return {
    start: (title, total) => single.start(total, 0, { title }),
    step: () => single.increment(),
    stop: () => single.stop(),
  }
}

function plainLines(stdout) {
  return { start: (title) => stdout.write(`Pass: ${title}\n`), step() {}, stop() {} }
}

module.exports = { createProgress }
