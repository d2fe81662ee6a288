// What the thread of `bus.test.mjs` listens to.

export default (bus) => {
  bus.on('doubled', (value) => value * 2)
}
