'use strict'
module.exports = { bun: [], deno: [] }
