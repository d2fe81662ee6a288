'use strict'

// For tests of memory: what `--expose-gc` gives, which `bun test` does not pass on.

globalThis.gc = () => globalThis.Bun.gc(true)
