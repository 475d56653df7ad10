import type { ApiOptions } from '../context.ts'
import { latestReadings } from '../latest-readings.ts'
import { readingsOfDecision, readingsOfVerdict, type Labels, type Reading } from '../series.ts'
import { labelsKey, type Series } from './evaluate.ts'
import { matchesAll, pinned, type Matcher } from './matcher.ts'

export interface Loaded { readonly service: string, readonly series: readonly Series[] }

/** Reads what we decided and found as series. */
export function createSeriesSource (context: Pick<ApiOptions, 'decisions' | 'config' | 'now'>, mayUse: ((service: string) => boolean) | null = null) {
  const { decisions } = context

  /** Services that the matchers may mean: the one that they name, whether we know it or not, or all known ones that fit. */
  async function servicesFor (matchers: readonly Matcher[]): Promise<string[]> {
    const one = pinned(matchers, 'service')
    const ofService = matchers.filter(({ name }) => name === 'service')
    const candidates = one !== null ? [one] : (await decisions.services()).map(({ service }) => service)
    const allowed = mayUse === null ? candidates : candidates.filter(mayUse)
    return allowed.filter((service) => ofService.every(({ matches }) => matches(service)))
  }

  /** Series of one service that have something to say between `start` and `end`, epoch ms. */
  async function load (service: string, matchers: readonly Matcher[], { start, end }: { start: number, end: number }): Promise<Loaded> {
    const { decision, verdict, lifeSeconds, readings } = await latestReadings(service, context)
    const [past, judged] = await Promise.all([
      decision !== null && start < decision.asOf ? since(start, (limit) => decisions.history(service, { limit })) : [],
      verdict !== null && start < verdict.asOf && mayBeOf(matchers, verdictSeries) ? since(start, (limit) => decisions.verdicts(service, { limit })) : []
    ])
    const earlier = past.filter(({ asOf }) => asOf < decision!.asOf).reverse()
    const before = earlier.flatMap((one, i) => readingsOfDecision({ ...one, validUntil: Math.min(one.validUntil, (earlier[i + 1] ?? decision).asOf) }))
    const demo = context.config().demoServices.has(service)
    const found = judged.filter(({ asOf }) => asOf < verdict!.asOf).reverse()
    const scores = found.flatMap((one, i) => {
      const nextAt = (found[i + 1] ?? verdict).asOf
      return readingsOfVerdict({ service, ...one }, { demo, lifeSeconds: Math.min(lifeSeconds, (nextAt - one.asOf) / 1000) })
    })
    return { service, series: toSeries([...before, ...scores, ...readings].filter(({ from, until }) => from <= end && until > start), matchers) }
  }

  /** Labels of the series that there were when the service last spoke. */
  async function labelsOf (service: string, matchers: readonly Matcher[]): Promise<Labels[]> {
    const { readings } = await latestReadings(service, context)
    return toSeries(readings, matchers).map(({ labels }) => labels)
  }

  return { servicesFor, load, labelsOf }
}
/** What is in force from `at` on, newest first: back to what held then. Reads more and more, because most questions are about the last minutes. */
async function since<T extends { readonly asOf: number }> (at: number, read: (limit: number) => Promise<readonly T[]>): Promise<readonly T[]> {
  for (let limit = 64; ; limit *= 4) {
    const history = await read(limit)
    const start = history.findIndex(({ asOf }) => asOf <= at)
    if (start >= 0) return history.slice(0, start + 1)
    if (history.length < limit) return history
  }
}

const verdictSeries = ['prescale_anomaly_score', 'prescale_incident_open']

function mayBeOf (matchers: readonly Matcher[], names: readonly string[]): boolean {
  return names.some((name) => matchers.filter((matcher) => matcher.name === '__name__').every(({ matches }) => matches(name)))
}

export type SeriesSource = ReturnType<typeof createSeriesSource>

function toSeries (readings: readonly Reading[], matchers: readonly Matcher[]): Series[] {
  const series = new Map<string, { labels: Series['labels'], points: { from: number, until: number, value: number }[] }>()
  for (const { name, labels: own, value, from, until } of readings) {
    const labels = { __name__: name, ...own }
    if (!matchesAll(matchers, labels)) continue
    const key = labelsKey(labels)
    const known = series.get(key)
    if (known) known.points.push({ from, until, value })
    else series.set(key, { labels, points: [{ from, until, value }] })
  }
  return [...series.values()]
}
