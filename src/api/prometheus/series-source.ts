import type { Decision } from '../../domain.ts'
import type { ApiOptions } from '../context.ts'
import { latestReadings } from '../latest-readings.ts'
import { readingsOfDecision, type Labels, type Reading } from '../series.ts'
import { labelsKey, type Series } from './evaluate.ts'
import { matchesAll, pinned, type Matcher } from './matcher.ts'

export interface Loaded { readonly service: string, readonly series: readonly Series[] }

/** Reads what we decided as series. The score of a verdict has no history: only the latest is there. */
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
    const { decision, readings } = await latestReadings(service, context)
    const past = decision !== null && start < decision.asOf ? await historySince(service, start) : []
    const earlier = past.filter(({ asOf }) => asOf < decision!.asOf).reverse()
    const before = earlier.flatMap((one, i) => readingsOfDecision({ ...one, validUntil: Math.min(one.validUntil, (earlier[i + 1] ?? decision).asOf) }))
    return { service, series: toSeries([...before, ...readings].filter(({ from, until }) => from <= end && until > start), matchers) }
  }

  /** Labels of the series that there were when the service last spoke. */
  async function labelsOf (service: string, matchers: readonly Matcher[]): Promise<Labels[]> {
    const { readings } = await latestReadings(service, context)
    return toSeries(readings, matchers).map(({ labels }) => labels)
  }

  /** Newest first, back to the decision that held at `since`; reads more and more, because most questions are about the last minutes. */
  async function historySince (service: string, since: number): Promise<Decision[]> {
    for (let limit = 64; ; limit *= 4) {
      const history = await decisions.history(service, { limit })
      const start = history.findIndex(({ asOf }) => asOf <= since)
      if (start >= 0) return history.slice(0, start + 1)
      if (history.length < limit) return history
    }
  }

  return { servicesFor, load, labelsOf }
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
