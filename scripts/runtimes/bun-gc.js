'use strict'

// For tests of memory: the `gc` of `--expose-gc`, which `bun test` does not pass on.

globalThis.gc = () => globalThis.Bun.gc(true)
