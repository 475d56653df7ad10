import type { Decision, Savings, Suggestion, Verdict } from '../domain.ts'
import type { Keys } from './keys.ts'
import type { PastVerdict } from './past-verdict.ts'
import { answered, type RedisClient } from './redis.ts'
import type { ServiceSummary } from './summary.ts'

export interface DecisionStoreOptions {
  readonly redis: RedisClient
  readonly keys: Keys
  /** For how long an answer may stand in for another read of the latest decision. */
  readonly freshMs?: number
}
interface Recent { readonly json: string, readonly decision: Decision, readonly answer: Promise<Decision>, readonly at: number }
const maxRecent = 10_000

/**
 * What the worker has said, for those who ask: every read is one round trip to Redis.
 *
 * @throws PrescaleError 'store-unavailable' from each of them.
 */
export function createDecisionStore ({ redis, keys, freshMs = 0 }: DecisionStoreOptions) {
  const field = (service: string, name: string) => answered(redis, () => redis.hget(keys.service(service), name))

  const recent = new Map<string, Recent>()
  const reading = new Map<string, Promise<Decision | null>>()

  /** The latest decision as JSON, valid or not. */
  const latestJson = (service: string): Promise<string | null> => field(service, 'decision')

  const readLatest = async (service: string): Promise<Decision | null> => {
    try {
      const json = await latestJson(service)
      const known = recent.get(service)
      // The same text is the same decision, and the same object, so that nobody has to work on it twice.
      const decision = known !== undefined && known.json === json ? known.decision : parsed<Decision>(json)
      recent.delete(service)
      if (json !== null && decision !== null) recent.set(service, { json, decision, answer: Promise.resolve(decision), at: performance.now() })
      if (recent.size > maxRecent) recent.delete(recent.keys().next().value!)
      return decision
    } finally {
      reading.delete(service)
    }
  }

  /** The latest decision, valid or not. Those who ask while it is being read share the answer. */
  const latest = (service: string): Promise<Decision | null> => {
    const known = recent.get(service)
    if (known !== undefined && performance.now() - known.at < freshMs) return known.answer
    let answer = reading.get(service)
    if (answer === undefined) {
      answer = readLatest(service)
      reading.set(service, answer)
    }
    return answer
  }
  const verdict = async (service: string) => parsed<Verdict>(await field(service, 'verdict'))
  const suggestion = async (service: string) => parsed<Suggestion>(await field(service, 'suggestion'))
  const savings = async (service: string) => parsed<Savings>(await field(service, 'savings'))

  /** All of them together; `known` is false for a service that no sample ever came for. */
  const snapshot = (service: string) => answered(redis, async () => {
    const [version, decision, verdict, suggestion, savings] = await redis.hmget(keys.service(service), 'version', 'decision', 'verdict', 'suggestion', 'savings')
    return {
      known: version !== null,
      decision: parsed<Decision>(decision),
      verdict: parsed<Verdict>(verdict),
      suggestion: parsed<Suggestion>(suggestion),
      savings: parsed<Savings>(savings)
    }
  })

  /** Decisions newer than `since` (epoch ms), newest first, without the newest `offset` ones. */
  const history = (service: string, page: { since?: number, limit: number, offset?: number }): Promise<Decision[]> => answered(redis, async () => {
    const { since = -Infinity, limit, offset = 0 } = page
    if (limit < 1) return []
    const newestFirst = await redis.lrange(keys.history(service), offset, offset + limit - 1)
    return newestFirst.map((json) => JSON.parse(json) as Decision).filter(({ asOf }) => asOf > since)
  })

  /** The newest verdicts, newest first. */
  const verdicts = (service: string, { limit }: { limit: number }): Promise<PastVerdict[]> => answered(redis, async () => {
    if (limit < 1) return []
    return (await redis.lrange(keys.verdicts(service), 0, limit - 1)).map((json) => JSON.parse(json) as PastVerdict)
  })

  /** Every service that a sample ever came for, by name. */
  const services = (): Promise<ServiceSummary[]> => answered(redis, async () => {
    const lists = await Promise.all(Array.from({ length: keys.partitions }, (_, partition) => redis.hvals(keys.services(partition))))
    return lists.flat().map((json) => JSON.parse(json) as ServiceSummary).sort((a, b) => a.service < b.service ? -1 : 1)
  })

  /** The newest decision of every service, by its place in the chain. */
  const heads = (): Promise<{ service: string, asOf: number, hash: string }[]> => answered(redis, async () => {
    const newest = await Promise.all((await services()).map(({ service }) => latest(service)))
    return newest.flatMap((decision) => decision?.hash === undefined ? [] : [{ service: decision.service, asOf: decision.asOf, hash: decision.hash }])
  })

  return { latest, latestJson, verdict, suggestion, savings, snapshot, history, verdicts, services, heads }
}
export type DecisionStore = ReturnType<typeof createDecisionStore>

function parsed<T> (json: string | null): T | null {
  return json === null ? null : JSON.parse(json) as T
}
