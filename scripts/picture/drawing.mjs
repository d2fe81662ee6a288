// A timeline as an SVG: a block for each way to run the listeners, a bar for each listener, and where all are done.

const WIDTH = 720
const LEFT = 150
const RIGHT = 30
const BAR = 22
const GAP = 6
const TITLE = 30

const THEMES = {
  light: { text: '#1f2328', faint: '#59636e', line: '#d1d9e0', bars: ['#0969da', '#1a7f37', '#8250df'] },
  dark: { text: '#f0f6fc', faint: '#9198a1', line: '#3d444d', bars: ['#4493f8', '#3fb950', '#ab7df8'] },
}

/**
 * @param {'light' | 'dark'} theme
 * @param {Record<string, { spans: { name: string, from: number, to: number }[], end: number }>} runs in milliseconds
 */
export function drawing(theme, runs) {
  const colours = THEMES[theme]
  const longest = Math.max(...Object.values(runs).map(({ end }) => end))
  const x = (ms) => LEFT + (ms / longest) * (WIDTH - LEFT - RIGHT)
  const parts = []
  let top = 8
  for (const [title, run] of Object.entries(runs)) {
    parts.push(block(title, run, { top, x, colours }))
    top += TITLE + run.spans.length * (BAR + GAP) + 16
  }
  const said = Object.entries(runs).map(([title, { end }]) => `${title}: ${Math.round(end)} ms`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img" font-family="system-ui, sans-serif" font-size="14">
<title>Three listeners of one event. ${said.join(', ')}</title>
${parts.join('\n')}
</svg>
`
}

function block(title, { spans, end }, { top, x, colours }) {
  const height = spans.length * (BAR + GAP)
  const bars = spans.map(({ name, from, to }, index) => {
    const y = top + TITLE + index * (BAR + GAP)
    const [start, width] = [x(from).toFixed(1), Math.max(2, x(to) - x(from)).toFixed(1)]
    return `<text x="${LEFT - 10}" y="${y + 16}" text-anchor="end" fill="${colours.faint}">${name}</text>
<rect x="${start}" y="${y}" width="${width}" height="${BAR}" rx="3" fill="${colours.bars[index % colours.bars.length]}"/>`
  })
  const last = x(end).toFixed(1)
  return `<text x="${LEFT}" y="${top + 18}" fill="${colours.text}" font-weight="600">${title}</text>
<line x1="${LEFT}" y1="${top + TITLE - 3}" x2="${LEFT}" y2="${top + TITLE + height}" stroke="${colours.line}"/>
<line x1="${last}" y1="${top + 8}" x2="${last}" y2="${top + TITLE + height}" stroke="${colours.faint}" stroke-dasharray="3 3"/>
<text x="${last}" y="${top + 18}" dx="-6" text-anchor="end" fill="${colours.text}">${Math.round(end)} ms: all done</text>
${bars.join('\n')}`
}
