import type { SeriesState } from './ingest/assemble.ts'
import type { ServiceState } from './pipeline.ts'
import { answered, type RedisClient } from './store/redis.ts'
import type { StateStore } from './store/state-store.ts'
import type { TuningRecord } from './tuning/record.ts'

interface ReaderOptions { readonly redis: RedisClient, readonly states: StateStore<ServiceState, SeriesState> }

/**
 * What the worker keeps of the tuning of a service, for those who ask what to run.
 *
 * @throws PrescaleError 'store-unavailable' from each of them.
 */
export function createTuningReader ({ redis, states }: ReaderOptions) {
  const read = (service: string) => answered(redis, async () => {
    const [{ version, state, network }, record] = await Promise.all([states.load(service), states.readRecord<TuningRecord>(service)])
    return { known: version > 0, state: state?.tuning ?? null, network, record }
  })
  const knows = (service: string, ids: readonly string[]) => answered(redis, () => states.knownFeedback(service, ids))
  return { read, knows }
}
