import type { BacktestReport, BacktestRow, BacktestSeries } from './backtest.ts'
import { minuteOf, percent } from './backtest-table.ts'
import { drawPanel, escapeXml, panelHeight, panelWidth } from './picture.ts'

/** More than a screen shows; the largest of neighbours stands for them. */
const mostPoints = 1_200
/** Of lines that are drawn; there are as many colours. */
const mostLines = 10
const shownFirst = new Set(['prescale', 'hpa'])

/** A page of its own: nothing is loaded from anywhere, no script, light and dark. */
export function backtestPage (reports: readonly BacktestReport[], series: readonly BacktestSeries[]): string {
  const sections = reports.map((report, i) => section(report, series[i], i))
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>prescale backtest of ${escapeXml(reports.map(({ name }) => name).join(', '))}</title>
<style>${style}</style></head>
<body><main><h1>prescale backtest</h1>
<p>What each autoscaler would have made of the same load, in the same simulated cluster. What counts lies after the time that all may learn from; only static and oracle
are told of later loads.</p>
${sections.join('\n')}
<p class="note"><b>Violations</b>: share of requests that met too few instances. <b>Cost</b>: instance-hours as a multiple of those of the cheapest cover, which knows
the load beforehand. <b>Worst hour</b>: the one with most violating requests, in UTC.</p>
</main></body></html>
`
}

function section (report: BacktestReport, series: BacktestSeries, index: number): string {
  const { name, from, scoredFrom, to, rows } = report
  return `<section><h2>${escapeXml(name)}</h2>
<p>${minuteOf(scoredFrom)} to ${minuteOf(to)} UTC count${scoredFrom > from ? `; learned from ${minuteOf(from)} on` : ''}. ${escapeXml(verdictOn(rows))}</p>
<div class="scroll">${resultTable(rows)}</div>
${plots(report, series, index)}</section>`
}

/** The comparison that most come for, in words. */
function verdictOn (rows: readonly BacktestRow[]): string {
  const ours = rows.find(({ autoscaler }) => autoscaler === 'prescale')
  const hpa = rows.find(({ autoscaler }) => autoscaler === 'hpa')
  if (ours === undefined || hpa === undefined || hpa.instanceHours === 0) return ''
  const share = ours.instanceHours / hpa.instanceHours - 1
  const hours = `${Math.abs(100 * share).toFixed(0)} % ${share < 0 ? 'fewer' : 'more'} instance-hours than HPA`
  return `prescale takes ${hours}, with ${percent(ours.violationRatio)} violations where HPA has ${percent(hpa.violationRatio)}.`
}

function resultTable (rows: readonly BacktestRow[]): string {
  const priced = rows.some(({ money }) => money !== null)
  const header = ['Autoscaler', 'Violations', 'Instance-hours', 'Cost', ...priced ? ['Money'] : [], 'Changes an hour', 'Worst hour']
  const lines = rows.map((row) => {
    const { autoscaler, violationRatio, instanceHours, costRatio, money, changesPerHour, worstHour } = row
    const cells = [
      percent(violationRatio),
      instanceHours.toFixed(1),
      costRatio.toFixed(3),
      ...priced ? [money === null ? '–' : money.total.toFixed(2)] : [],
      changesPerHour.toFixed(1),
      worstHour === null ? '–' : `${percent(worstHour.violationRatio)} <span>${minuteOf(worstHour.at)}</span>`
    ]
    const ours = autoscaler.startsWith('prescale') ? ' class="ours"' : ''
    return `<tr${ours}><th scope="row">${escapeXml(autoscaler)}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
  })
  return `<table><thead><tr>${header.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>${lines.join('')}</tbody></table>`
}

/** Load, and the wishes of each; boxes beside them choose whose are seen, without a script. */
function plots ({ scoredFrom, to, stepSeconds, from }: BacktestReport, { loads, wishes, forecasts, capacity }: BacktestSeries, index: number): string {
  const first = Math.round((scoredFrom - from) / 1000 / stepSeconds)
  const stepsEach = Math.max(1, Math.ceil((loads.length - first) / mostPoints))
  const points = (values: Float64Array) => largestOf(values.subarray(first), stepsEach)
  const at = points(loads).map((_, i) => Math.min(to / 1000, scoredFrom / 1000 + (i + 1) * stepsEach * stepSeconds))
  const drawn = [...wishes].slice(0, mostLines)
  const load = [
    ...forecasts === null ? [] : [{ label: 'expected (median of the largest load within the horizon)', class: 'expected', values: points(forecasts.map(value => value * capacity)) }],
    { label: 'load', class: 'load', values: points(loads) }
  ]
  const replicas = [
    { label: 'needed', class: 'needed', values: points(loads.map(value => Math.ceil(value / capacity - 1e-9))) },
    ...drawn.map(([autoscaler, values], i) => ({ label: autoscaler, class: `line a${i} s${index}a${i}`, values: points(values) }))
  ]
  const boxes = drawn.map(([autoscaler], i) => {
    const id = `s${index}a${i}`
    return `<label class="a${i}"><input type="checkbox" id="${id}"${shownFirst.has(autoscaler) || i === 0 ? ' checked' : ''}><i></i>${escapeXml(autoscaler)}</label>`
  })
  const hiding = drawn.map((_, i) => `section:has(#s${index}a${i}:not(:checked)) .s${index}a${i}{display:none}`).join('')
  return `<style>${hiding}</style>
<figure><figcaption>Load <span class="key load"></span> load${forecasts === null ? '' : ' <span class="key expected"></span> expected: median of the largest load within the horizon'}</figcaption>
${svg(drawPanel({ title: '', lines: load, legend: false }, { at, top: 16 }), 'Load over time')}</figure>
<figure><figcaption>Wanted replicas <span class="key needed"></span> needed at full utilisation <span class="boxes">${boxes.join(' ')}</span></figcaption>
${svg(drawPanel({ title: '', lines: replicas, legend: false }, { at, top: 16 }), 'Wanted replicas over time')}</figure>`
}

function svg (content: string, label: string): string {
  return `<svg viewBox="0 0 ${panelWidth} ${panelHeight + 40}" role="img" aria-label="${label}">${content}</svg>`
}

/** A gap stays one only where nothing of it is known. */
function largestOf (values: Float64Array, stepsEach: number): number[] {
  return Array.from({ length: Math.ceil(values.length / stepsEach) }, (_, i) =>
    values.subarray(i * stepsEach, (i + 1) * stepsEach).reduce((most, value) => Number.isNaN(most) || value > most ? value : most, NaN))
}

const light = ['#0f766e', '#c2410c', '#7c3aed', '#be185d', '#4d7c0f', '#57606a', '#0369a1', '#a16207', '#9f1239', '#1e40af']
const dark = ['#2dd4bf', '#fb923c', '#c4b5fd', '#f472b6', '#a3e635', '#b6c2cf', '#38bdf8', '#facc15', '#fda4af', '#93c5fd']
const colours = (of: readonly string[]) => of.map((colour, i) => `.a${i}{--colour:${colour}}`).join('')

const style = `:root{color-scheme:light dark;--back:#fff;--text:#15202b;--quiet:#56636f;--grid:#e2e7ec;--load:#0b63ce;--expected:#8a3ffc;--needed:#8a94a0;--ours:#ecf7f5}
${colours(light)}
@media(prefers-color-scheme:dark){:root{--back:#12181d;--text:#e4eaef;--quiet:#a3b0bc;--grid:#2b3740;--load:#63aeff;--expected:#bb95ff;--needed:#7d8a96;--ours:#16302d}${colours(dark)}}
body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif}main{max-width:76rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2rem 0 .25rem}p{max-width:56rem;margin:.25rem 0 1rem}.note,td span{color:var(--quiet)}td span{font-size:.85em;margin-left:.4em}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;white-space:nowrap}
th,td{padding:.4rem .8rem;border-bottom:1px solid var(--grid);text-align:right;font-weight:400}thead th{color:var(--quiet);font-size:.85rem}
th:first-child{text-align:left}.ours{background:var(--ours)}.ours th{font-weight:600}
figure{margin:1.5rem 0 0}figcaption{font-weight:600;display:flex;flex-wrap:wrap;gap:.2rem .6rem;align-items:center}figcaption,label{font-size:.9rem}
.key{width:1.5rem;height:0;border-top:3px solid;margin-left:.6rem}.key+*{font-weight:400}span.load{color:var(--load)}span.expected{color:var(--expected);border-style:dashed}span.needed{color:var(--needed)}
.boxes{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin-left:auto}label{font-weight:400;display:inline-flex;align-items:center;gap:.35rem}label i{width:1.2rem;height:.25rem;border-radius:2px;background:var(--colour)}
input{accent-color:var(--colour);margin:0}svg{display:block;width:100%;height:auto}svg text{font:13px system-ui,sans-serif;fill:var(--quiet)}.grid{stroke:var(--grid)}
svg path{fill:none;stroke-width:1.5;stroke-linejoin:round}path.load{stroke:var(--load)}path.expected{stroke:var(--expected);stroke-dasharray:4 3}path.needed{stroke:var(--needed)}path.line{stroke:var(--colour)}path.a0{stroke-width:2.5}`
