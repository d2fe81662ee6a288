'use strict'

// The growth of memory from round to round. A round that needed much leaves its process larger, since the allocator keeps
// freed memory; so a step is no growth. Memory that grows again in each part of the run is.

/** Number of rounds before the level is taken: everything is compiled, cached and pooled by then. */
const WARM_UP = 1 / 3
const PARTS = 4
const LEAST_ROUNDS = 12
/** Bytes that may be more from one part to the next. */
const ALLOWED = { rss: 8 * 2 ** 20, heapUsed: 2 ** 20, external: 2 ** 20 }

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
}

/**
 * @param {{ rss: number, heapUsed: number, external: number }[]} rounds the memory after each, in bytes
 * @returns {string | null} the kind and the amount of growth; null also where rounds are too few to tell
 */
function growthOf(rounds) {
  if (rounds.length < LEAST_ROUNDS) return null
  const warm = rounds.slice(Math.floor(rounds.length * WARM_UP))
  const partOf = (part) => warm.slice((warm.length * part) / PARTS, (warm.length * (part + 1)) / PARTS)
  for (const [kind, allowed] of Object.entries(ALLOWED)) {
    const levels = Array.from({ length: PARTS }, (_, part) => median(partOf(part).map((round) => round[kind])))
    if (levels.slice(1).every((level, part) => level - levels[part] > allowed)) {
      return `${kind} grows: ${levels.map((level) => `${(level / 2 ** 20).toFixed(1)} MiB`).join(', ')}`
    }
  }
  return null
}

module.exports = { growthOf }
