import { PrescaleError } from '../../errors.ts'
import type { Labels } from '../series.ts'
import { evaluate, labelsKey, type Series, type Value } from './evaluate.ts'
import { pinned, type Matcher } from './matcher.ts'
import { parseQuery, type Expression, type Selector } from './parser.ts'
import type { Loaded, SeriesSource } from './series-source.ts'

const mostServices = 100
const mostSteps = 11_000
const mostPoints = 500_000

interface Asked { readonly selector: Selector, readonly aggregated: boolean, readonly loaded: readonly Loaded[] }

/**
 * The value at one instant.
 *
 * @throws PrescaleError `no-opinion` when a service that is asked for has nothing valid to say at that time: an empty answer would be
 * taken for 0 by KEDA, and the rest of a sum for the whole. `invalid-request` for what the parser refuses.
 */
export async function queryInstant (query: string, at: number, source: SeriesSource): Promise<Value> {
  const expression = parseQuery(query)
  const asked = await read(expression, { start: at, end: at }, source)
  for (const one of asked) requireOpinion(one, at)
  return evaluate(expression, at, seriesOf(asked))
}

/** Epoch ms. */
interface RangeOptions { readonly start: number, readonly end: number, readonly stepMs: number, readonly now: number }

export interface MatrixSeries { readonly labels: Labels, readonly values: (readonly [at: number, value: number])[] }

/**
 * The values at every step. Where nobody had an opinion there is a gap; when the range reaches the present and is all gap, that is
 * `no-opinion`, too.
 */
export async function queryRange (query: string, { start, end, stepMs, now }: RangeOptions, source: SeriesSource): Promise<MatrixSeries[]> {
  const expression = parseQuery(query)
  const steps = Math.floor((end - start) / stepMs) + 1
  if (steps > mostSteps) throw new PrescaleError('invalid-request', `exceeded maximum resolution of ${mostSteps} points per timeseries. Try decreasing the query resolution (?step=XX)`)
  const asked = await read(expression, { start, end }, source)
  const count = asked.reduce((sum, { loaded }) => sum + loaded.reduce((all, { series }) => all + series.length, 0), 0)
  if (count * steps > mostPoints) throw new PrescaleError('limit-exceeded', `${count} series at ${steps} steps are more than ${mostPoints} points; ask for fewer services or a longer step`)
  const readSeries = seriesOf(asked)
  const result = new Map<string, MatrixSeries>()
  for (let at = start; at <= end; at += stepMs) {
    const value = evaluate(expression, at, readSeries)
    for (const { labels, value: number } of typeof value === 'number' ? [{ labels: {}, value }] : value) {
      const key = labelsKey(labels)
      const known = result.get(key)
      if (known) known.values.push([at, number])
      else result.set(key, { labels, values: [[at, number]] })
    }
  }
  if (result.size === 0 && end >= now - stepMs) {
    for (const one of asked) if (askedServices(one).length > 0) throw noOpinion(askedServices(one), one.selector)
  }
  return [...result.values()]
}

async function read (expression: Expression, { start, end }: { start: number, end: number }, source: SeriesSource): Promise<Asked[]> {
  return await Promise.all(selectorsOf(expression, false).map(async ({ selector, aggregated }) => {
    const services = await source.servicesFor(selector.matchers)
    if (services.length > mostServices) throw new PrescaleError('limit-exceeded', `the query means ${services.length} services, at most ${mostServices} can be asked at once; name them with service="…" or service=~"…"`)
    const from = start - (selector.rangeMs ?? 0)
    const loaded = await Promise.all(services.map((service) => source.load(service, selector.matchers, { start: from, end })))
    return { selector, aggregated, loaded }
  }))
}

function selectorsOf (expression: Expression, aggregated: boolean): { selector: Selector, aggregated: boolean }[] {
  switch (expression.kind) {
    case 'number': return []
    case 'selector': return [{ selector: expression, aggregated }]
    case 'negative': return selectorsOf(expression.operand, aggregated)
    case 'arithmetic': return [...selectorsOf(expression.left, aggregated), ...selectorsOf(expression.right, aggregated)]
    case 'aggregation': return selectorsOf(expression.operand, true)
    case 'call': return expression.operands.flatMap((operand) => selectorsOf(operand, aggregated))
  }
}

function seriesOf (asked: readonly Asked[]): (selector: Selector) => readonly Series[] {
  const bySelector = new Map(asked.map(({ selector, loaded }) => [selector, loaded.flatMap(({ series }) => series)]))
  return (selector) => bySelector.get(selector) ?? []
}

function requireOpinion (asked: Asked, at: number): void {
  const { selector, aggregated, loaded } = asked
  const speaking = new Set(loaded.filter(({ series }) => series.some(({ points }) => speaks(points, selector, at))).map(({ service }) => service))
  const silent = askedServices(asked).filter((service) => !speaking.has(service))
  if (silent.length > 0 && (aggregated || speaking.size === 0)) throw noOpinion(silent, selector)
}

/** A service that is named counts also when it is not there, or not for the one who asks. */
function askedServices ({ selector, loaded }: Asked): string[] {
  const named = pinned(selector.matchers, 'service')
  return named === null ? loaded.map(({ service }) => service) : [named]
}

function speaks (points: Series['points'], { rangeMs }: Selector, at: number): boolean {
  return points.some(({ from, until }) => from <= at && (rangeMs === null ? at < until : from > at - rangeMs))
}

function noOpinion (services: readonly string[], { matchers }: Selector): PrescaleError {
  const shown = services.slice(0, 5).join(', ') + (services.length > 5 ? ` and ${services.length - 5} more` : '')
  return new PrescaleError('no-opinion', `no opinion: there is no valid ${nameOf(matchers)} of ${shown} at that time, and an empty answer would be taken for 0`)
}

function nameOf (matchers: readonly Matcher[]): string {
  return pinned(matchers, '__name__') ?? 'series'
}
