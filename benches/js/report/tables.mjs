// Tables and sentences in Markdown, with the numbers of a run.

import { digits } from './results.mjs'

export { digits }

export function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Sentences as lines of a paragraph. */
export function paragraph(...sentences) {
  return sentences
    .join(' ')
    .split(' ')
    .reduce(
      ([...lines], word) => {
        const line = lines.pop()
        return line.length + word.length < 120 ? [...lines, `${line} ${word}`.trim()] : [...lines, line, word]
      },
      [''],
    )
    .join('\n')
}

/** Where the numbers are from. */
export function origin({ machine }) {
  const { cpu, cores, os, load, node, commit, date } = machine
  return paragraph(
    `${cpu}, ${cores} cores, ${os}, Node ${node}; commit ${commit}, ${date.slice(0, 10)}, load ${digits(load)} when it began`,
  )
}

/** The machine and the versions. */
export function versions({ machine }) {
  const packages = Object.entries(machine.packages).map(([name, version]) => [name, version])
  return table(['', 'version'], [['Node', machine.node], ['V8', machine.v8], ...packages])
}

/** The goals, and whether they were reached. */
export function goals(results) {
  const told = results.goals.map(({ what, goal, value, met, reason }) => {
    const why = met ? '' : (reason ?? 'No reason is given.')
    return [what, goal, value, met ? 'met' : '**missed**', why]
  })
  const missed = results.goals.filter(({ met }) => !met).length
  const heading = `${results.goals.length - missed} met, ${missed} missed.`
  return `${heading}\n\n${table(['goal', 'at', 'is, with p10 – p90', '', 'why it is missed'], told)}`
}

/** Every row, in its group. */
export function rows(results) {
  const group = ({ title, note, payload, lines }) => {
    const carried = payload === undefined ? [] : [`Payload: ${payload}.`]
    return [`### ${capital(title)}`, note, ...carried, table(ROW, lines.map(row))].join('\n\n')
  }
  return results.groups.map(group).join('\n\n')
}

const ROW = ['', 'against', 'the bus', 'the other', 'as fast', 'not compared']

function row({ what, against, differs, unit, ours, theirs, ratio, ratioUnit, skipped, error }) {
  if (skipped !== undefined) return [what, against, '', '', `skipped: ${skipped}`, differs ?? '']
  if (error !== undefined) return [what, '', '', '', error, '']
  return [
    what,
    against ?? '',
    spread(ours, ` ${unit}`),
    spread(theirs, ` ${unit}`),
    spread(ratio, ratioUnit),
    differs ?? '',
  ]
}

/** Median and p10 – p90. */
export function spread(values, unit) {
  if (values === null) return ''
  const { median, p10, p90, rounds } = values
  return `${digits(median)}${unit}${rounds === 1 ? '' : ` (${digits(p10)} – ${digits(p90)})`}`
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1)
}
