'use strict'

// npm run test:asan [-- test-file …]
//
// Runs tests with an addon that is built with AddressSanitizer, which sees each access to memory that is not there any
// more, or never was. Without names: the tests that have most to do with memory of JavaScript's and Rust's. It needs Linux
// and gcc: Node has to load gcc's runtime of the sanitizer first. The compiler flag is one of nightly Rust, which
// RUSTC_BOOTSTRAP has the stable one accept. It takes some minutes, so it is no part of CI.

const { execFileSync, spawnSync } = require('node:child_process')
const { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } = require('node:fs')
const path = require('node:path')
const { missingRust } = require('./rust.js')

const root = path.join(__dirname, '..')
const folder = path.join(root, 'target/asan')
const reports = path.join(folder, 'reports')

const FILES = [
  'runtime/abuse',
  'runtime/lent',
  'runtime/memory',
  'channel/burst',
  'channel/long',
  'channel/order',
  'channel/events',
  'channel/close',
  'channel/full',
  'codec/messages',
  'channel/death',
  'group/members',
  'local/lifecycle',
  'runtime/native',
  'spawn/pool',
  'channel/churn',
  'channel/metrics',
  'observe/trace',
  'monitoring/incident',
]

/** Returns the addon. */
function build() {
  const [, triple] = /^host: (.*)$/m.exec(execFileSync('rustc', ['-vV'], { encoding: 'utf8' }))
  // With a target, the flags are not for programs that run while it is built.
  const args = ['build', '--lib', '--target', triple, '--target-dir', folder]
  const RUSTFLAGS = `${process.env.RUSTFLAGS ?? ''} -Zsanitizer=address`.trim()
  const env = { ...process.env, RUSTC_BOOTSTRAP: '1', RUSTFLAGS }
  execFileSync('cargo', args, { cwd: root, env, stdio: 'inherit' })
  const addon = path.join(folder, 'parallel-event-bus.node')
  copyFileSync(path.join(folder, triple, 'debug/libparallel_event_bus.so'), addon)
  if (!readFileSync(addon).includes('__asan_report')) throw new Error('the addon was built without the sanitizer')
  return addon
}

/** Returns the library that Node has to load before all else. */
function runtime() {
  const file = execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim()
  // It says the name alone where it has none.
  if (!path.isAbsolute(file)) throw new Error('gcc has no libasan.so: install its package (libasan8, say)')
  return file
}

function environment(addon) {
  return {
    ...process.env,
    LD_PRELOAD: runtime(),
    // Node leaves much to the system when it ends. Where there is no memory, it is as without the sanitizer.
    ASAN_OPTIONS: `detect_leaks=0:allocator_may_return_null=1:log_path=${path.join(reports, 'report')}`,
    NAPI_RS_NATIVE_LIBRARY_PATH: addon,
  }
}

function main(names) {
  const missing = process.platform === 'linux' ? missingRust() : 'AddressSanitizer is used here on Linux alone'
  if (missing !== null) throw new Error(missing)
  const paths = names.length > 0 ? names : FILES.map((name) => path.join('__test__', `${name}.test.js`))
  const absent = paths.find((file) => !existsSync(path.join(root, file)))
  if (absent !== undefined) throw new Error(`there is no ${absent}`)
  const env = environment(build())
  rmSync(reports, { recursive: true, force: true })
  mkdirSync(reports, { recursive: true })
  const args = ['--expose-gc', '--test', '--test-reporter=spec', '--test-concurrency=2', ...paths]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: Infinity,
  })
  const found = readdirSync(reports)
  for (const report of found) console.log(readFileSync(path.join(reports, report), 'utf8'))
  if (status !== 0) console.log(stdout.slice(Math.max(0, stdout.indexOf('failing tests:'))), stderr)
  const [, passed] = /^\S+ pass (\d+)$/m.exec(stdout) ?? []
  const faults = found.length === 0 ? 'nothing' : `${found.length} ${found.length === 1 ? 'fault' : 'faults'}`
  const rest = status === 0 ? '' : ', and others fail'
  console.log(`AddressSanitizer found ${faults}; ${passed} tests of ${paths.length} files pass${rest}`)
  if (status !== 0 || found.length > 0) process.exitCode = 1
}

try {
  main(process.argv.slice(2))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
