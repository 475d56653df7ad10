import { svg } from './dom.ts'

export interface Sparkline {
  readonly at: readonly number[]
  readonly load: readonly (number | null)[]
  readonly forecast: { readonly until: number, readonly low: number, readonly middle: number, readonly high: number } | null
}

const [width, height, pad] = [168, 32, 2]

/** The recent load, and ahead of now the band in which it is expected. For eyes only: the row says the numbers. */
export function drawSparkline ({ at, load, forecast }: Sparkline): SVGElement {
  const known = load.filter((value) => value !== null)
  const frame = svg('svg', { width, height, viewBox: `0 0 ${width} ${height}`, class: 'spark', 'aria-hidden': 'true' })
  if (known.length < 2) return frame
  const highest = Math.max(...known, forecast?.high ?? 0) || 1
  const least = Math.min(...known, forecast?.low ?? highest)
  // What hardly moves is to look as if it hardly moved.
  const lowest = Math.max(0, Math.min(least, 0.7 * highest) - 0.1 * highest)
  const [first, last] = [at[0], at[at.length - 1]]
  // The horizon is short beside the past; it gets at least a sixth of the width.
  const ahead = forecast ? Math.max(width / 6, width * (forecast.until - last) / (forecast.until - first)) : 0
  const x = (time: number) => pad + (width - 2 * pad - ahead) * (time - first) / Math.max(1, last - first)
  const y = (value: number) => height - pad - (height - 2 * pad) * (value - lowest) / (highest - lowest)
  if (forecast) {
    const [from, to, start] = [x(last), width - pad, y(load[load.length - 1] ?? forecast.middle)]
    frame.append(
      svg('path', { class: 'spark-band', d: `M${from},${start}L${to},${y(forecast.high)}L${to},${y(forecast.low)}Z` }),
      svg('path', { class: 'spark-ahead', d: `M${from},${start}L${to},${y(forecast.middle)}` }))
  }
  frame.append(svg('path', { class: 'spark-load', d: lineOf(at, load, x, y) }))
  return frame
}

/** Nothing is drawn where nothing is known. */
function lineOf (at: readonly number[], load: readonly (number | null)[], x: (time: number) => number, y: (value: number) => number): string {
  let pen = 'M'
  return load.map((value, i) => {
    if (value === null) {
      pen = 'M'
      return ''
    }
    const step = `${pen}${x(at[i]).toFixed(1)},${y(value).toFixed(1)}`
    pen = 'L'
    return step
  }).join('')
}
