import UPlot from 'uplot'
import type { Band } from './bands.ts'
import { h } from './dom.ts'
import { clock, short, utc } from './format.ts'
import type { Series } from './series.ts'

interface Plot {
  readonly title: string
  readonly heightPx: number
  readonly lines: readonly Line[]
  readonly band?: readonly [high: number, low: number]
  readonly least: number
}
interface Line { readonly label: string, readonly colour: string, readonly dash?: number[], readonly width?: number, readonly stepped?: boolean, readonly plain?: boolean }

const plots = {
  load: {
    title: 'Load, what was expected of it, and what the ready replicas carry',
    heightPx: 200,
    least: 1,
    lines: [
      { label: 'load', colour: '--load', width: 2 },
      { label: 'expected, 5 %', colour: '--band-line', width: 0.5 },
      { label: '50 %', colour: '--expected', dash: [4, 4] },
      { label: '95 %', colour: '--band-line', width: 0.5 },
      { label: 'ready carry, at the target', colour: '--ready', dash: [2, 3] }
    ],
    band: [4, 2]
  },
  replicas: {
    title: 'Replicas',
    heightPx: 165,
    least: 2,
    lines: [
      { label: 'wanted', colour: '--wanted', width: 2, stepped: true },
      { label: 'ready', colour: '--ready', width: 1.5, stepped: true },
      { label: 'HPA would want', colour: '--reactive', dash: [5, 4], stepped: true }
    ]
  },
  score: {
    title: 'Anomaly score',
    heightPx: 110,
    least: 1,
    lines: [{ label: 'score', colour: '--score', width: 1.5 }, { label: 'alarm from', colour: '--alarm', dash: [2, 4] }]
  }
} as const satisfies Record<string, Plot>

interface PlotsOptions {
  /** Somebody pointed at a time, epoch ms. */
  readonly onPick: (at: number) => void
  /** True while somebody looks at a part of the range. */
  readonly onZoom: (zoomed: boolean) => void
}

const { stepped: steppedPaths } = UPlot.paths
const steps = steppedPaths!({ align: 1 })
const axisFont = '12px system-ui, sans-serif'
const dragPx = 5

/** Three plots with one time axis: what is done to one happens to all. */
export function createPlots ({ onPick, onZoom }: PlotsOptions) {
  const figures = Object.values(plots).map(({ title }) => h('figure', { class: 'plot' }, h('figcaption', {}, title)))
  const element = h('div', { class: 'plots' }, ...figures)
  let charts: UPlot[] = []
  let series: Series | null = null
  let bands: readonly Band[] = []
  /** Epoch seconds, as uPlot counts. */
  let range: readonly [number, number] = [0, 1]
  let zoom: readonly [number, number] | null = null
  let picked: number | null = null

  const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  const width = () => Math.max(240, element.clientWidth)

  const build = () => {
    for (const chart of charts) chart.destroy()
    charts = Object.values(plots).map((plot, i) => new UPlot(optionsOf(plot), dataOf(i), figures[i]))
    for (const chart of charts) {
      bindPick(chart)
      // uPlot draws, and empties the legend, before the next task.
      setTimeout(() => { showLatest(chart) })
    }
  }

  const optionsOf = ({ title, heightPx, lines, least, ...more }: Plot): UPlot.Options => ({
    width: width(),
    height: heightPx,
    cursor: { sync: { key: 'time' }, drag: { x: true, y: false, setScale: false }, bind: { dblclick: () => () => { setZoom(null); return null } } },
    legend: { live: true },
    scales: { x: { time: true, range: () => [...(zoom ?? range)] as UPlot.Range.MinMax }, y: { range: (_, _low, high) => [0, Math.max(least, (high ?? 0) * 1.08)] } },
    axes: [
      { stroke: colour('--muted'), font: axisFont, grid: { stroke: colour('--grid'), width: 1 }, ticks: { show: false }, size: 28, values: (_, times) => times.map((at) => clock(at * 1000)), space: 90 },
      { stroke: colour('--muted'), font: axisFont, grid: { stroke: colour('--grid'), width: 1 }, ticks: { show: false }, size: 52, values: (_, values) => values.map(short) }
    ],
    series: [
      { label: 'time', value: (_, at) => at === null ? '–' : `${clock(at * 1000)} (${utc(at * 1000).slice(11)})` },
      ...lines.map(({ label, colour: name, dash, width = 1, stepped }): UPlot.Series => ({
        label,
        stroke: colour(name),
        width,
        ...(dash && { dash: [...dash] }),
        ...(stepped && { paths: steps }),
        points: { show: false },
        value: (_, value) => short(value)
      }))
    ],
    ...(more.band && { bands: [{ series: [...more.band] as [number, number], fill: colour('--band') }] }),
    hooks: {
      setSelect: [(chart) => {
        if (chart.select.width < dragPx) return
        const [from, to] = [chart.select.left, chart.select.left + chart.select.width].map((left) => chart.posToVal(left, 'x'))
        chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
        setZoom([from, to])
      }],
      drawClear: [(chart) => { drawBands(chart) }],
      draw: [(chart) => { drawMarks(chart) }]
    }
  })

  const dataOf = (index: number): UPlot.AlignedData => {
    if (series === null) return [[]]
    return [series.load(), series.replicas(), series.score()][index]
  }

  /** Incidents, behind everything else. */
  const drawBands = ({ ctx, bbox, valToPos }: UPlot) => {
    ctx.save()
    ctx.globalAlpha = 0.55
    for (const { from, to, serious } of bands) {
      const left = Math.max(bbox.left, valToPos(from / 1000, 'x', true))
      const right = Math.min(bbox.left + bbox.width, Math.max(valToPos(to / 1000, 'x', true), valToPos(from / 1000, 'x', true) + 2 * devicePixelRatio))
      if (right <= left) continue
      ctx.fillStyle = colour(serious ? '--bad-back' : '--warn-back')
      ctx.fillRect(left, bbox.top, right - left, bbox.height)
    }
    ctx.restore()
  }

  /** The end of what is known, and the decision that is explained. */
  const drawMarks = ({ ctx, bbox, valToPos }: UPlot) => {
    const line = (at: number, stroke: string, dash: number[]) => {
      const x = Math.round(valToPos(at / 1000, 'x', true))
      if (x < bbox.left || x > bbox.left + bbox.width) return
      ctx.save()
      ctx.strokeStyle = stroke
      ctx.setLineDash(dash)
      ctx.lineWidth = devicePixelRatio
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
      ctx.restore()
    }
    const last = series?.lastAt() ?? null
    if (last !== null) line(last, colour('--muted'), [2, 4])
    if (picked !== null) line(picked, colour('--accent'), [])
  }

  /** A click that was not the end of a drag. */
  const bindPick = (chart: UPlot) => {
    let from = 0
    chart.over.addEventListener('mousedown', ({ clientX }) => { from = clientX })
    chart.over.addEventListener('click', ({ clientX }) => {
      if (Math.abs(clientX - from) >= dragPx) return
      onPick(1000 * chart.posToVal(clientX - chart.over.getBoundingClientRect().left, 'x'))
    })
  }

  /** While nobody points at a time, the legend says what is now. */
  const showLatest = (chart: UPlot) => {
    const last = series?.lastAt() ?? null
    if (last === null || (chart.cursor.left ?? -1) >= 0) return
    const idx = (chart.data[0] as number[]).lastIndexOf(last / 1000)
    if (idx >= 0) chart.setLegend({ idx }, false)
  }

  const setZoom = (next: readonly [number, number] | null) => {
    zoom = next
    onZoom(zoom !== null)
    redraw()
  }

  const redraw = () => {
    const [min, max] = zoom ?? range
    for (const [i, chart] of charts.entries()) {
      chart.batch(() => {
        chart.setData(dataOf(i), false)
        chart.setScale('x', { min, max })
      })
      showLatest(chart)
    }
  }

  /** @param seen from and to, epoch ms. */
  const show = (next: Series, seen: readonly [number, number], incidents: readonly Band[]) => {
    series = next
    bands = incidents
    range = [seen[0] / 1000, seen[1] / 1000]
    if (charts.length === 0) build()
    else redraw()
  }

  const pick = (at: number | null) => {
    picked = at
    redraw()
  }

  const resized = new ResizeObserver(() => { for (const chart of charts) if (chart.width !== width()) chart.setSize({ width: width(), height: chart.height }) })
  resized.observe(element)

  const close = () => {
    resized.disconnect()
    for (const chart of charts) chart.destroy()
  }

  return { element, show, pick, setZoom, recolour: () => { if (charts.length > 0) build() }, image: (title: string) => drawImage(title, charts, colour), close }
}

/** All plots under one another as they are now, with their titles, as a PNG. */
function drawImage (title: string, charts: readonly UPlot[], colour: (name: string) => string): Promise<Blob | null> {
  const ratio = devicePixelRatio
  const canvases = charts.map(({ ctx }) => ctx.canvas)
  const titles = Object.values(plots).map((plot) => plot.title)
  const gap = 28 * ratio
  const canvas = h('canvas', { width: Math.max(...canvases.map(({ width }) => width)), height: canvases.reduce((sum, { height }) => sum + height + gap, 2 * gap) })
  const ctx = canvas.getContext('2d')!
  ctx.fillStyle = colour('--surface')
  ctx.fillRect(0, 0, canvas.width, canvas.height)
  ctx.fillStyle = colour('--text')
  ctx.font = `600 ${15 * ratio}px system-ui, sans-serif`
  ctx.fillText(title, 12 * ratio, 24 * ratio)
  let top = 1.5 * gap
  ctx.font = `${12 * ratio}px system-ui, sans-serif`
  for (const [i, one] of canvases.entries()) {
    ctx.fillText(titles[i], 12 * ratio, top + 12 * ratio)
    ctx.drawImage(one, 0, top + gap / 2)
    top += one.height + gap
  }
  return new Promise((resolve) => { canvas.toBlob(resolve, 'image/png') })
}
