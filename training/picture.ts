/** A line of a panel; `class` is what a style sheet colours it by. */
export interface Line { readonly label: string, readonly class: string, readonly values: readonly number[] }
export interface Panel {
  readonly title: string
  readonly lines: readonly Line[]
  /** Without it the lines are named beside the title. */
  readonly legend?: boolean
}

export const panelWidth = 1200
export const panelHeight = 260
/** From the top of one panel to that of the next. */
export const panelPitch = panelHeight + 62
const [left, right] = [64, 16]
const anchors: Readonly<Record<number, string>> = { 0: 'start', 0.25: 'middle', 0.5: 'middle', 0.75: 'middle', 1: 'end' }

/** One panel as SVG, from `top` down. @param at epoch seconds of each value; the same for all lines. */
export function drawPanel ({ title, lines, legend = true }: Panel, { at, top }: { at: readonly number[], top: number }): string {
  const highest = lines.reduce((most, { values }) => values.reduce(larger, most), 0) || 1
  const step = niceStep(highest / 4)
  const x = (time: number) => left + (panelWidth - left - right) * (time - at[0]) / Math.max(1, at[at.length - 1] - at[0])
  const y = (value: number) => top + panelHeight - panelHeight * value / (1.05 * highest)
  const grid = Array.from({ length: Math.floor(1.05 * highest / step) + 1 }, (_, i) => i * step).map((value) =>
    `<line class="grid" x1="${left}" x2="${panelWidth - right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/>` +
    `<text x="${left - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${Number(value.toPrecision(4))}</text>`)
  const times = at.length === 0
    ? []
    : [0, 0.25, 0.5, 0.75, 1].map((share) => {
        const time = at[0] + share * (at[at.length - 1] - at[0])
        return `<text x="${x(time).toFixed(1)}" y="${top + panelHeight + 18}" text-anchor="${anchors[share]}">${new Date(1000 * time).toISOString().slice(0, 16).replace('T', ' ')}</text>`
      })
  const names = lines.map(({ label, class: name }, i) => {
    const [across, down] = [panelWidth - right - 330, top - 22 + 16 * i]
    return `<path class="${name}" d="M${across} ${down}h24"/><text x="${across + 32}" y="${down + 4}">${escapeXml(label)}</text>`
  })
  const drawn = lines.map(({ class: name, values }) => `<path class="${name}" d="${path(values, (i) => x(at[i]), y)}"/>`)
  return [`<text x="${left}" y="${top - 8}">${escapeXml(title)}</text>`, ...grid, ...times, ...drawn, ...legend ? names : []].join('\n')
}

/** The first of two that is a number, and else the larger. */
export function larger (a: number, b: number): number {
  return Number.isNaN(a) || b > a ? b : a
}

export function escapeXml (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** Nothing is drawn where nothing is known. */
function path (values: readonly number[], x: (index: number) => number, y: (value: number) => number): string {
  let pen = 'M'
  return values.map((value, i) => {
    if (!Number.isFinite(value)) {
      pen = 'M'
      return ''
    }
    const point = `${pen}${x(i).toFixed(1)} ${y(value).toFixed(1)}`
    pen = 'L'
    return point
  }).join('')
}

/** 1, 2 or 5 times a power of ten. */
function niceStep (least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10)
}
