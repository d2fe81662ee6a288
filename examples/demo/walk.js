'use strict'

// Finds the regular files of a directory tree. Symbolic links are not followed.

const { lstat, readdir } = require('node:fs/promises')
const { join } = require('node:path')

/**
 * Resolves to `{ files: [{ path, size }], unreadable }`, where `unreadable` counts directories that could not be
 * listed. Rejects only if `root` itself cannot be.
 */
async function walk(root) {
  const files = []
  let unreadable = 0
  const directories = [root]
  // The list grows while it is walked.
  for (const directory of directories) {
    const entries = directory === root ? await list(root) : await list(directory).catch(() => null)
    if (entries === null) unreadable++
    for (const entry of entries ?? []) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) directories.push(path)
      else if (entry.isFile()) files.push({ path, size: await sizeOf(path) })
    }
  }
  return { files, unreadable }
}

/** The files that fit, in order. */
function cap(files, { maxFiles, maxBytes }) {
  const kept = []
  let bytes = 0
  for (const file of files) {
    if (kept.length === maxFiles) break
    if (bytes + file.size > maxBytes) continue
    bytes += file.size
    kept.push(file)
  }
  return kept
}

/** Sorted, so that every walk of a tree finds its files in the same order. */
async function list(directory) {
  const entries = await readdir(directory, { withFileTypes: true })
  return entries.sort((one, other) => (one.name < other.name ? -1 : 1))
}

/** Of a file that has vanished meanwhile it is 0; the runs will find that out, and skip it. */
async function sizeOf(path) {
  try {
    return (await lstat(path)).size
  } catch {
    return 0
  }
}

module.exports = { walk, cap }
