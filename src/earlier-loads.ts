import type { Config, PrometheusSource } from './config.ts'
import type { Policy } from './domain.ts'
import type { Outbound } from './ingest/outbound.ts'
import { queryRange } from './ingest/promql.ts'
import type { KeptLoads } from './store/load-store.ts'
import type { Logger } from './telemetry.ts'

const answerMs = 3_600_000

/** By the name of the service. */
type Answers = ReadonlyMap<string, KeptLoads>

interface EarlierOptions extends Pick<Outbound, 'fetchBytes'> {
  readonly config: () => Pick<Config, 'sources' | 'limits'>
  readonly log: Logger
  /** Epoch ms. */
  readonly now: () => number
}

/** What the Prometheus servers of the configuration remember of a load from before the service was watched. */
export function createEarlierLoads ({ config, fetchBytes, log, now }: EarlierOptions) {
  const asked = new Map<string, { readonly at: number, readonly answer: Promise<Answers> }>()

  /** A query answers for all services at once, so an answer counts for an hour. */
  const ask = (source: PrometheusSource, signal: string, stepSeconds: number): Promise<Answers> => {
    const key = JSON.stringify([source.url, signal, stepSeconds])
    const known = asked.get(key)
    if (known !== undefined && now() - known.at < answerMs) return known.answer
    const answer = query(source, signal, stepSeconds).catch((err: unknown) => {
      log.warn({ err, source: source.url, signal }, 'the history of Prometheus cannot be learned from')
      return new Map()
    })
    asked.set(key, { at: now(), answer })
    return answer
  }

  const query = async (source: PrometheusSource, signal: string, stepSeconds: number): Promise<Answers> => {
    const { limits: { historySteps } } = config()
    const stepMs = stepSeconds * 1000
    const to = Math.floor(now() / stepMs) * stepMs
    const from = to - (historySteps - 1) * stepMs
    const answers = new Map<string, KeptLoads & { loads: Float64Array }>()
    for (const { labels, values } of await queryRange(source, source.signals[signal], { from, to, stepSeconds, fetchBytes })) {
      const service = labels.find(([label]) => label === source.serviceLabel)?.[1]
      if (service === undefined || answers.has(service) || values.length === 0) continue
      const [[startAt]] = values
      const loads = new Float64Array(Math.round((to - startAt) / stepMs) + 1).fill(NaN)
      for (const [at, value] of values) if (value >= 0 && Number.isFinite(value)) loads[Math.round((at - startAt) / stepMs)] = value
      answers.set(service, { stepSeconds, startAt, loads })
    }
    return answers
  }

  /** The kept loads with what lies before them; as they are where nobody knows more, or the target is a ratio, which is no load. */
  const extend = async (service: string, kept: KeptLoads, { target }: Policy): Promise<KeptLoads> => {
    if (target.kind === 'ratio') return kept
    const signal = target.kind === 'auto' ? 'requestsPerSecond' : target.signal
    for (const source of config().sources.prometheus) {
      if (source.signals[signal] === undefined) continue
      const earlier = (await ask(source, signal, kept.stepSeconds)).get(service)
      if (earlier !== undefined) return joined(earlier, kept)
    }
    return kept
  }

  return { extend }
}
export type EarlierLoads = ReturnType<typeof createEarlierLoads>

function joined ({ startAt, loads, stepSeconds }: KeptLoads, kept: KeptLoads): KeptLoads {
  const stepMs = stepSeconds * 1000
  const before = loads.subarray(0, Math.max(0, Math.round((kept.startAt - startAt) / stepMs)))
  const first = before.findIndex(load => load >= 0)
  if (first < 0) return kept
  const all = new Float64Array(before.length - first + kept.loads.length)
  all.set(before.subarray(first))
  all.set(kept.loads, before.length - first)
  return { stepSeconds, startAt: startAt + first * stepMs, loads: all }
}
