import { serviceNamePattern, type Point } from '../domain.ts'
import { compileMatch, labelValue, matchesLabels, type LabelMatcher } from './label-match.ts'
import { compileMappings, type Selector } from './selectors.ts'
import type { SignalMapping } from './signal-mapping.ts'

export interface RoutedService {
  readonly service: string
  /** Labels that a series must have; empty for all series. */
  readonly match: Readonly<Record<string, string>>
  readonly mappings: readonly SignalMapping[]
}

/** Every value of `label` is a service. */
export interface Discovery {
  readonly label: string
  readonly match?: Readonly<Record<string, string>>
  readonly mappings: readonly SignalMapping[]
}

export interface RouterOptions {
  readonly discovery?: Discovery
  /** Named and discovered services together. */
  readonly maxServices?: number
  /** Services that were discovered before. */
  readonly known?: Iterable<string>
}

export interface Routed {
  readonly byService: Map<string, Point[]>
  /** Points that no service wants, or whose service would be one too many. */
  readonly dropped: number
  readonly droppedBy: { readonly unwanted: number, readonly badName: number, readonly overLimit: number }
}

const serviceName = new RegExp(serviceNamePattern)
/** Metric names come from outside: what was found out about them is remembered for this many. */
const maxRemembered = 20_000

/**
 * Sends points to services: by metric (only those that the service's mappings read, and `up`, which tells about the target) and by labels.
 * Several services may want the same point. Discovery serves label values that name no service of the list; their number is limited.
 */
export function createRouter (services: readonly RoutedService[], { discovery, maxServices = 5000, known = [] }: RouterOptions = {}) {
  const candidates = indexRoutes(services.map(({ service, match, mappings }) => (
    { service, labels: compileMatch(match), wants: createWants(mappings) })))
  const found = discovery && { label: discovery.label, labels: compileMatch(discovery.match), wants: createWants(discovery.mappings) }
  const names = new Set([...services.map(({ service }) => service), ...known])
  const listed = new Set(services.map(({ service }) => service))

  function discover (point: Point): string | Refusal | null {
    if (!found || !found.wants(point) || !matchesLabels(found.labels, point.labels)) return null
    const name = labelValue(point.labels, found.label)
    if (name === '' || listed.has(name)) return null
    if (!serviceName.test(name)) return refusals.badName
    if (!names.has(name) && names.size >= maxServices) return refusals.overLimit
    names.add(name)
    return name
  }

  function route (points: readonly Point[]): Routed {
    const byService = new Map<string, Point[]>()
    const droppedBy = { unwanted: 0, badName: 0, overLimit: 0 }
    for (const point of points) {
      const takers = candidates(point)
        .filter(({ labels, wants }) => wants(point) && matchesLabels(labels, point.labels))
        .map(({ service }) => service)
      const other = discover(point)
      if (typeof other === 'string') takers.push(other)
      else if (takers.length === 0) droppedBy[other?.refused ?? 'unwanted']++
      for (const service of takers) append(byService, service, point)
    }
    return { byService, dropped: droppedBy.unwanted + droppedBy.badName + droppedBy.overLimit, droppedBy }
  }

  return { route }
}
export type Router = ReturnType<typeof createRouter>

interface Route { readonly service: string, readonly labels: readonly LabelMatcher[], readonly wants: (point: Point) => boolean }

/** Most services name themselves by one value of one label: with thousands of them only those of the point's value are looked at. */
function indexRoutes (routes: readonly Route[]): (point: Point) => Route[] {
  const byLabel = new Map<string, Map<string, Route[]>>()
  const others: Route[] = []
  for (const route of routes) {
    const key = route.labels.find(({ only }) => only !== null && only !== '')
    if (!key) {
      others.push(route)
      continue
    }
    const byValue = byLabel.get(key.name) ?? new Map<string, Route[]>()
    byLabel.set(key.name, byValue)
    append(byValue, key.only!, route)
  }
  return ({ labels }) => labels.reduce((found, [name, value]) => found.concat(byLabel.get(name)?.get(value) ?? []), others)
}

interface Refusal { readonly refused: 'badName' | 'overLimit' }
const refusals = { badName: { refused: 'badName' }, overLimit: { refused: 'overLimit' } } as const

function append<T> (lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key)
  if (list) list.push(item)
  else lists.set(key, [item])
}

/** Whether any mapping reads a series; the metric is looked up first, because most series of an exporter are not wanted. */
export function createWants (mappings: readonly SignalMapping[]): (point: Point) => boolean {
  const { selectors } = compileMappings(mappings)
  const byMetric = new Map<string, readonly Selector[]>()

  return ({ metric, labels }) => {
    if (metric === 'up') return true
    let readers = byMetric.get(metric)
    if (!readers) {
      if (byMetric.size >= maxRemembered) byMetric.clear()
      readers = selectors.filter((selector) => selector.metric(metric))
      byMetric.set(metric, readers)
    }
    return readers.some((selector) => matchesLabels(selector.labels, labels))
  }
}
