/** One step of a replay, as far as a picture shows it. */
export interface PlottedStep {
  /** Epoch seconds. */
  readonly at: number
  readonly load: number
  readonly forecast: number | null
  readonly replicas: number
}

interface Bucket { readonly at: number, steps: number, load: number, forecast: number, replicas: number, needed: number }
interface Panel { readonly title: string, readonly lines: readonly { readonly label: string, readonly class: string, readonly values: readonly number[] }[] }

/** More than a screen shows; a longer trace is drawn by the largest values of neighbours, so that memory does not grow with it. */
const maxBuckets = 2_000
const [width, panelHeight, left, right, gap] = [1200, 260, 64, 16, 62]

/** @param atTarget load that one instance carries at the target utilisation. */
export function createReplayPlot ({ atTarget }: { readonly atTarget: number }) {
  let buckets: Bucket[] = []
  let stepsEach = 1

  const add = ({ at, load, forecast, replicas }: PlottedStep): void => {
    const step = { at, steps: 1, load, forecast: forecast ?? NaN, replicas, needed: Math.ceil(load / atTarget) }
    const last = buckets.at(-1)
    if (last !== undefined && last.steps < stepsEach) merge(last, step)
    else buckets.push(step)
    if (buckets.length <= maxBuckets) return
    buckets = buckets.filter((bucket, i) => {
      if (i % 2 === 0 && i + 1 < buckets.length) merge(bucket, buckets[i + 1])
      return i % 2 === 0
    })
    stepsEach *= 2
  }

  /** A picture for a browser, in light and dark. */
  const toSvg = (title: string): string => {
    const values = (of: (bucket: Bucket) => number) => buckets.map(of)
    const panels: Panel[] = [
      { title: 'Load, and the expected largest load within the horizon', lines: [{ label: 'expected (median)', class: 'expected', values: values(({ forecast }) => forecast) }, { label: 'load', class: 'load', values: values(({ load }) => load) }] },
      { title: 'Replicas', lines: [{ label: 'needed for the present load at the target utilisation', class: 'needed', values: values(({ needed }) => needed) }, { label: 'wanted', class: 'wanted', values: values(({ replicas }) => replicas) }] }
    ]
    const height = 48 + panels.length * (panelHeight + gap)
    const from = buckets.at(0)?.at ?? 0
    const to = buckets.at(-1)?.at ?? 1
    const x = (at: number) => left + (width - left - right) * (at - from) / Math.max(1, to - from)
    const content = panels.map((panel, i) => drawPanel(panel, { at: buckets.map((bucket) => bucket.at), x, top: 64 + i * (panelHeight + gap) }))
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}">
<style>${style}</style><rect class="back" width="100%" height="100%"/><text class="title" x="${left}" y="28">${escapeXml(title)}</text>
${content.join('\n')}
</svg>
`
  }

  return { add, toSvg }
}

function merge (into: Bucket, other: Bucket): void {
  into.steps += other.steps
  into.load = larger(into.load, other.load)
  into.forecast = larger(into.forecast, other.forecast)
  into.replicas = larger(into.replicas, other.replicas)
  into.needed = larger(into.needed, other.needed)
}

function larger (a: number, b: number): number {
  return Number.isNaN(a) || b > a ? b : a
}

const style = '.back{fill:#fff}text{font:13px system-ui,sans-serif;fill:#566472}.title{font-size:16px;font-weight:600;fill:#15202b}.grid{stroke:#e2e7ec}path{fill:none;stroke-width:1.5}' +
  '.load{stroke:#0b63ce}.expected{stroke:#8a3ffc;stroke-dasharray:4 3}.wanted{stroke:#0f766e;stroke-width:2}.needed{stroke:#b45309;stroke-dasharray:4 3}' +
  '@media(prefers-color-scheme:dark){.back{fill:#161d23}text{fill:#9aa8b4}.title{fill:#e4eaef}.grid{stroke:#2b3740}.load{stroke:#63aeff}.expected{stroke:#bb95ff}.wanted{stroke:#2dd4bf}.needed{stroke:#f0a04b}}'

function drawPanel ({ title, lines }: Panel, { at, x, top }: { at: readonly number[], x: (at: number) => number, top: number }): string {
  const highest = lines.reduce((most, { values }) => values.reduce(larger, most), 0) || 1
  const step = niceStep(highest / 4)
  const y = (value: number) => top + panelHeight - panelHeight * value / (1.05 * highest)
  const grid = Array.from({ length: Math.floor(1.05 * highest / step) + 1 }, (_, i) => i * step).map((value) =>
    `<line class="grid" x1="${left}" x2="${width - right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/><text x="${left - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${Number(value.toPrecision(4))}</text>`)
  const times = at.length === 0
    ? []
    : [0, 0.25, 0.5, 0.75, 1].map((share) => {
        const time = at[0] + share * (at[at.length - 1] - at[0])
        return `<text x="${x(time).toFixed(1)}" y="${top + panelHeight + 18}" text-anchor="${anchors[share]}">${new Date(1000 * time).toISOString().slice(0, 16).replace('T', ' ')}</text>`
      })
  const legend = lines.map(({ label, class: name }, i) => `<path class="${name}" d="M${width - right - 330} ${top - 22 + 16 * i}h24"/><text x="${width - right - 298}" y="${top - 18 + 16 * i}">${escapeXml(label)}</text>`)
  const drawn = lines.map(({ class: name, values }) => `<path class="${name}" d="${path(values, (i) => x(at[i]), y)}"/>`)
  return [`<text x="${left}" y="${top - 8}">${escapeXml(title)}</text>`, ...grid, ...times, ...drawn, ...legend].join('\n')
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

const anchors: Readonly<Record<number, string>> = { 0: 'start', 0.25: 'middle', 0.5: 'middle', 0.75: 'middle', 1: 'end' }

/** 1, 2 or 5 times a power of ten. */
function niceStep (least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10)
}

function escapeXml (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
