import { drawPanel, escapeXml, larger, panelPitch, panelWidth, type Panel } from './picture.ts'

/** One step of a replay, as far as a picture shows it. */
export interface PlottedStep {
  /** Epoch seconds. */
  readonly at: number
  readonly load: number
  readonly forecast: number | null
  readonly replicas: number
}

interface Bucket { readonly at: number, steps: number, load: number, forecast: number, replicas: number, needed: number }

/** More than a screen shows; a longer trace is drawn by the largest values of neighbours, so that memory does not grow with it. */
const maxBuckets = 2_000

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
    const height = 48 + panels.length * panelPitch
    const content = panels.map((panel, i) => drawPanel(panel, { at: buckets.map((bucket) => bucket.at), top: 64 + i * panelPitch }))
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${panelWidth} ${height}" role="img" aria-label="${escapeXml(title)}">
<style>${style}</style><rect class="back" width="100%" height="100%"/><text class="title" x="64" y="28">${escapeXml(title)}</text>
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

const style = '.back{fill:#fff}text{font:13px system-ui,sans-serif;fill:#566472}.title{font-size:16px;font-weight:600;fill:#15202b}.grid{stroke:#e2e7ec}path{fill:none;stroke-width:1.5}' +
  '.load{stroke:#0b63ce}.expected{stroke:#8a3ffc;stroke-dasharray:4 3}.wanted{stroke:#0f766e;stroke-width:2}.needed{stroke:#b45309;stroke-dasharray:4 3}' +
  '@media(prefers-color-scheme:dark){.back{fill:#161d23}text{fill:#9aa8b4}.title{fill:#e4eaef}.grid{stroke:#2b3740}.load{stroke:#63aeff}.expected{stroke:#bb95ff}.wanted{stroke:#2dd4bf}.needed{stroke:#f0a04b}}'
