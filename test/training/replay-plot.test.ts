import { describe, expect, it } from 'vitest'
import { createReplayPlot, type PlottedStep } from '../../training/replay-plot.ts'

const steps = (count: number, of: (i: number) => Partial<PlottedStep> = () => ({})): PlottedStep[] =>
  Array.from({ length: count }, (_, i) => ({ at: 1_767_571_200 + 60 * i, load: 700, forecast: 710, replicas: 11, ...of(i) }))

function draw (list: readonly PlottedStep[], title = 'replay'): string {
  const plot = createReplayPlot({ atTarget: 70 })
  for (const step of list) plot.add(step)
  return plot.toSvg(title)
}
const line = (svg: string, name: string) => [...svg.matchAll(new RegExp(`<path class="${name}" d="([^"]+)"`, 'g'))].map(([, path]) => path).find((path) => !path.endsWith('h24'))!

describe('the picture of a replay', () => {
  it('shows load, forecast and replicas on one axis of time, and says what each line is', () => {
    const svg = draw(steps(10), 'load <of> "shop"')
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    expect(svg).toContain('load &lt;of&gt; &quot;shop&quot;')
    for (const name of ['load', 'expected', 'wanted', 'needed']) expect(line(svg, name).match(/[ML]/g)).toHaveLength(10)
    expect(svg).toContain('2026-01-05 00:00')
  })

  it('puts what the present load needs below what was wanted', () => {
    // 700 / 70 = 10 of 11: on a panel of 260 pixels up to 11.55 replicas, a difference of one is 22.5 pixels.
    const svg = draw(steps(2))
    const [wanted, needed] = ['wanted', 'needed'].map((name) => Number(/^M[\d.]+ ([\d.]+)/.exec(line(svg, name))![1]))
    expect(needed - wanted).toBeCloseTo(22.5, 0)
  })

  it('leaves a hole where the trace has no load', () => {
    const svg = draw(steps(5, (i) => i === 2 ? { load: NaN, forecast: null } : {}))
    expect(line(svg, 'load').match(/M/g)).toHaveLength(2)
    expect(svg).not.toContain('NaN')
  })

  it('stays small for a long trace, and keeps its peaks', () => {
    const svg = draw(steps(50_000, (i) => i === 31_337 ? { load: 7_000 } : {}))
    expect(svg.length).toBeLessThan(200_000)
    const heights = [...line(svg, 'load').matchAll(/ ([\d.]+)/g)].map(([, y]) => Number(y))
    // The peak is at 1/1.05 of the panel, which begins at 64 and is 260 high: 64 + 260 - 260 / 1.05 = 76.4.
    expect(Math.min(...heights)).toBeCloseTo(76.4, 0)
  })

  it('is a picture also of nothing', () => {
    expect(draw([])).not.toMatch(/NaN|Infinity/)
  })
})
