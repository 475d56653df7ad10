import { ask, now } from './api.ts'
import { catchUp } from './catch-up.ts'
import { h, throttled } from './dom.ts'
import { arrange, stateOf, withEvent, type FleetRow, type SortKey, type Sorting, type Wanted } from './fleet-rows.ts'
import { duration, short, utc } from './format.ts'
import type { LiveEvent } from './live.ts'
import type { Page } from './page.ts'
import { drawSparkline, type Sparkline } from './sparkline.ts'
import { demoBadge, failure, notice, severityBadge, sourceBadge } from './widgets.ts'

const rowHeight = 48
const spareRows = 6
const sparklinePoints = 60
const renderMs = 500

const columns: readonly { readonly key: SortKey | null, readonly label: string, readonly class: string }[] = [
  { key: 'service', label: 'Service', class: 'col-service' },
  { key: null, label: 'Load and forecast', class: 'col-spark' },
  { key: 'replicas', label: 'Ready → wanted', class: 'col-replicas' },
  { key: 'source', label: 'Source', class: 'col-source' },
  { key: 'severity', label: 'Behaviour', class: 'col-severity' },
  { key: 'saved', label: 'Saved', class: 'col-saved' },
  { key: 'age', label: 'Last sample', class: 'col-age' }
]

interface Drawn { readonly element: HTMLTableRowElement, readonly cells: readonly HTMLElement[], keys: string[] }

/** All services, of which only the rows in sight are in the page. */
export function fleetPage (): Page {
  const rows = new Map<string, FleetRow>()
  const sparklines = new Map<string, Sparkline | null>()
  const drawn = new Map<string, Drawn>()
  let wanted: Wanted = { search: '', show: 'all' }
  let sorting: Sorting = { key: 'service', descending: false }
  let loaded = false

  const search = h('input', { type: 'search', id: 'search', placeholder: 'Search', 'aria-label': 'Search services by name', oninput: () => update({ search: search.value }) })
  const show = h('select', { 'aria-label': 'Show', onchange: () => update({ show: show.value as Wanted['show'] }) },
    ...([['all', 'All services'], ['abnormal', 'Behaving abnormally'], ['incident', 'With an open incident'], ['changing', 'Changing replicas'], ['stale', 'Without a valid decision'], ['suggestion', 'Configuration suggested']] as const)
      .map(([value, label]) => h('option', { value }, label)))
  const count = h('p', { class: 'count', role: 'status' })
  const headers = columns.map(({ key, label, class: name }) => h('th', { scope: 'col', class: name },
    key === null ? label : h('button', { type: 'button', onclick: () => { sort(key) } }, label, h('span', { class: 'sign', 'aria-hidden': 'true' }))))
  const [above, below] = [spacer(), spacer()]
  const body = h('tbody')
  const table = h('table', { class: 'fleet' }, h('caption', { class: 'hidden' }, 'Services'), h('thead', {}, h('tr', {}, ...headers)), body)
  const scroller = h('div', { class: 'scroller', tabindex: '0', role: 'region', 'aria-label': 'Services', onscroll: () => { render() } }, table)
  const place = h('div', { class: 'place' }, skeleton())
  const element = h('div', { class: 'fleet-page' }, h('div', { class: 'toolbar' }, h('h1', {}, 'Services'), search, show, count), place)

  const update = (change: Partial<Wanted>) => {
    wanted = { ...wanted, ...change }
    scroller.scrollTop = 0
    render()
  }
  const sort = (key: SortKey) => {
    sorting = { key, descending: sorting.key === key ? !sorting.descending : key !== 'service' && key !== 'source' }
    render()
  }

  const readAll = async () => {
    try {
      const [{ services }, { incidents }] = await Promise.all([ask<{ services: FleetRow[] }>('/v1/services'), ask<{ incidents: { service: string }[] }>('/v1/incidents?state=open&limit=1000')])
      const troubled = new Set(incidents.map(({ service }) => service))
      for (const name of rows.keys()) if (!services.some(({ service }) => service === name)) rows.delete(name)
      for (const row of services) rows.set(row.service, { ...row, incident: troubled.has(row.service) })
      sparklines.clear()
      loaded = true
      render()
    } catch (error) {
      if (!loaded) place.replaceChildren(failure(error, () => { read() }))
    }
  }

  const render = () => {
    if (!loaded) return
    if (rows.size === 0) {
      place.replaceChildren(nothing())
      return
    }
    if (!place.contains(scroller)) place.replaceChildren(scroller)
    const list = arrange(rows.values(), wanted, sorting, now())
    count.textContent = summary(rows, list.length)
    headers.forEach((header, i) => {
      const direction = columns[i].key !== sorting.key ? null : sorting.descending ? 'descending' : 'ascending'
      if (direction === null) header.removeAttribute('aria-sort')
      else header.setAttribute('aria-sort', direction)
    })
    table.setAttribute('aria-rowcount', String(list.length + 1))
    const first = Math.max(0, Math.floor(scroller.scrollTop / rowHeight) - spareRows)
    const shown = list.slice(first, first + Math.ceil(window.innerHeight / rowHeight) + 2 * spareRows)
    above.height(first * rowHeight)
    below.height((list.length - first - shown.length) * rowHeight)
    place_(shown, first)
    fetchSparklines(shown)
  }

  /** Rows that stay keep their elements, and with them the focus. */
  const place_ = (shown: readonly FleetRow[], first: number) => {
    const names = new Set(shown.map(({ service }) => service))
    for (const [name] of drawn) if (!names.has(name)) drawn.delete(name)
    const elements = shown.map((row, i) => {
      const one = drawn.get(row.service) ?? drawRow(row)
      drawn.set(row.service, one)
      one.element.setAttribute('aria-rowindex', String(first + i + 2))
      fill(one, row, sparklines.get(row.service) ?? null)
      return one.element
    })
    const next = [above.element, ...(elements.length > 0 ? elements : [noMatch()]), below.element]
    if (next.length === body.children.length && next.every((one, i) => body.children[i] === one)) return
    const focused = document.activeElement
    body.replaceChildren(...next)
    if (focused instanceof HTMLElement && body.contains(focused)) focused.focus({ preventScroll: true })
  }

  const fetchSparklines = (shown: readonly FleetRow[]) => {
    const missing = shown.filter(({ service, decision }) => decision !== null && !sparklines.has(service)).map(({ service }) => service).slice(0, 100)
    if (missing.length === 0) return
    for (const service of missing) sparklines.set(service, null)
    ask<{ sparklines: (Sparkline & { service: string })[] }>(`/v1/sparklines?points=${sparklinePoints}&services=${missing.map(encodeURIComponent).join(',')}`).then((answer) => {
      for (const { service, ...line } of answer.sparklines) sparklines.set(service, line)
      soon()
    }, () => { for (const service of missing) sparklines.delete(service) })
  }

  const soon = throttled(render, renderMs)

  const take = (one: LiveEvent) => {
    if (one.kind === 'model') return
    const { service } = one.kind === 'decision' ? one.decision : one.kind === 'verdict' ? one.verdict : one.kind === 'incident' ? one.incident : one.suggestion
    const row = withEvent(rows.get(service), one)
    if (row === null) return
    rows.set(service, row)
    const line = sparklines.get(service)
    if (one.kind === 'decision' && line) sparklines.set(service, extend(line, one.decision))
    soon()
  }

  const { read, tell } = catchUp(readAll, take)
  const timer = window.setInterval(soon, 5_000)
  const resized = new ResizeObserver(soon)
  resized.observe(scroller)
  read()
  return {
    title: 'Services',
    element,
    event: tell,
    refresh: () => { read() },
    close: () => {
      clearInterval(timer)
      resized.disconnect()
    }
  }
}

function extend ({ at, load }: Sparkline, { asOf, load: latest, forecast }: Extract<LiveEvent, { kind: 'decision' }>['decision']): Sparkline {
  const quantile = (wanted: number) => forecast!.quantiles.find((one) => one.quantile === wanted)?.load ?? 0
  return {
    at: [...at, asOf].slice(-sparklinePoints),
    load: [...load, latest].slice(-sparklinePoints),
    forecast: forecast && { until: asOf + forecast.horizonSeconds * 1000, low: quantile(0.05), middle: quantile(0.5), high: quantile(0.95) }
  }
}

function drawRow ({ service, demo }: FleetRow): Drawn {
  const cells = columns.slice(1).map(({ class: name }) => h('td', { class: name }))
  const name = h('th', { scope: 'row', class: 'col-service' }, h('a', { href: `#/services/${encodeURIComponent(service)}` }, service), demo ? demoBadge() : null)
  return { element: h('tr', {}, name, ...cells), cells, keys: [] }
}

/** Writes only what has changed. */
function fill (one: Drawn, row: FleetRow, sparkline: Sparkline | null): void {
  const { decision, verdict, asOf, suggestion, incident, saved } = row
  const state = stateOf(row, now())
  const age = asOf === null || asOf === 0 ? 'none yet' : `${duration((now() - asOf) / 1000)} ago`
  one.element.classList.toggle('stale', state === 'stale')
  const contents: readonly (readonly [key: string, draw: () => (Node | string)[]])[] = [
    [sparkline === null ? '' : `${sparkline.at.at(-1)} ${sparkline.at.length}`, () => sparkline ? [drawSparkline(sparkline)] : []],
    [JSON.stringify([decision?.currentReplicas, decision?.replicas, state]), () => decision ? replicas(decision) : [muted('waiting')]],
    [`${decision?.source} ${state} ${suggestion}`, () => [
      ...(decision === null ? [] : state === 'stale' ? [h('span', { class: 'badge stale-badge', title: `The decision held until ${utc(decision.validUntil)}` }, 'out of date')] : [sourceBadge(decision.source)]),
      ...(suggestion ? [h('span', { class: 'badge suggestion', title: 'A better configuration is suggested' }, 'config')] : [])
    ]],
    [`${verdict?.severity} ${verdict?.score} ${incident}`, () => verdict
      ? [severityBadge(verdict.severity), ...(incident ? [h('span', { class: 'badge incident-badge', title: 'An incident is open' }, 'incident')] : []), h('span', { class: 'score', title: 'Anomaly score, 0 to 1' }, verdict.score.toFixed(2))]
      : []],
    [JSON.stringify(saved), () => saved ? [h('span', { title: `Instance-hours saved against HPA since ${utc(saved.since)}; ${short(saved.violationMinutes)} violation minutes fewer` }, `${short(saved.instanceHours)} h`)] : []],
    [age, () => [h('span', asOf ? { title: utc(asOf) } : {}, age)]]
  ]
  contents.forEach(([key, draw], i) => {
    if (one.keys[i] !== key) one.cells[i].replaceChildren(...draw())
    one.keys[i] = key
  })
}

function replicas ({ currentReplicas, replicas }: NonNullable<FleetRow['decision']>): Node[] {
  const direction = replicas > currentReplicas ? 'up' : replicas < currentReplicas ? 'down' : 'same'
  return [h('span', { class: `replicas ${direction}` }, String(currentReplicas), h('span', { class: 'arrow', 'aria-hidden': 'true' }, ' → '), h('span', { class: 'hidden' }, ' ready, wanted '), h('strong', {}, String(replicas)))]
}

function muted (text: string): HTMLElement {
  return h('span', { class: 'muted', title: 'Too few samples have come for a decision' }, text)
}

function summary (rows: ReadonlyMap<string, FleetRow>, shown: number): string {
  const all = [...rows.values()]
  const abnormal = all.filter(({ verdict }) => verdict?.isAnomaly).length
  const parts = [shown === all.length ? `${all.length} watched` : `${shown} of ${all.length} shown`]
  return [...parts, abnormal === 0 ? 'all behave normally' : `${abnormal} abnormal`].join(' · ')
}

function spacer () {
  const cell = h('td', { colspan: columns.length })
  const element = h('tr', { class: 'spacer', 'aria-hidden': 'true' }, cell)
  const height = (pixels: number) => {
    element.hidden = pixels <= 0
    cell.style.height = `${Math.max(0, pixels)}px`
  }
  return { element, height }
}

function noMatch (): HTMLElement {
  return h('tr', {}, h('td', { colspan: columns.length, class: 'muted none' }, 'No service is like that.'))
}

function nothing (): HTMLElement {
  return notice('Nothing is watched yet',
    h('p', {}, 'Services appear here with their first sample. Send one:'),
    h('pre', {}, `curl ${location.origin}/v1/samples -H 'content-type: application/json' \\\n  -d '{"service": "shop", "signals": {"requestsPerSecond": 120, "readyReplicas": 3}}'`),
    h('p', {}, 'Or point Prometheus at this address with ', h('code', {}, 'remote_write'), ', or name exporters in ', h('code', {}, 'prescale.yaml'), '. ', h('a', { href: '/docs' }, 'All ways in')))
}

function skeleton (): HTMLElement {
  return h('div', { class: 'skeleton', 'aria-busy': 'true', 'aria-label': 'Loading' }, ...Array.from({ length: 6 }, () => h('div')))
}
