import type { Config, Limits } from './config.ts'
import type { ErrorDetail } from './errors.ts'
import type { DecisionStore } from './store/decision-store.ts'
import type { SettingsStore } from './store/settings-store.ts'

interface AdmissionOptions {
  readonly config: () => Config
  readonly decisions: Pick<DecisionStore, 'services'>
  readonly settings: Pick<SettingsStore, 'list'>
  readonly now: () => number
}

const refreshMs = 10_000

/** Keeps the number of services bounded: every one costs memory in Redis for good. */
export function createAdmission ({ config, decisions, settings, now }: AdmissionOptions) {
  let known = new Set<string>()
  let refreshedAt = -Infinity

  async function refresh (): Promise<void> {
    if (now() - refreshedAt < refreshMs) return
    const [heard, put] = await Promise.all([decisions.services(), settings.list()])
    // Those that were let in since are on their way through the queue, and not in the list yet.
    const recent = refreshedAt === -Infinity ? [] : known
    known = new Set([...recent, ...heard.map(({ service }) => service), ...put.map(({ service }) => service)])
    refreshedAt = now()
  }

  /** True for a service that is known, or for which there is room; it counts from then on. */
  async function admits (service: string): Promise<boolean> {
    if (known.has(service)) return true
    await refresh()
    if (known.has(service)) return true
    if (!config().services.has(service) && known.size >= config().limits.services) return false
    known.add(service)
    return true
  }

  /** After a service was deleted: its place is free. */
  function forget (service: string): void {
    known.delete(service)
  }

  return { admits, forget }
}
export type Admission = ReturnType<typeof createAdmission>

/** What to say about a service for which there is no room. */
export function noRoomFor (service: string, { services }: Limits): ErrorDetail {
  return { path: 'service', value: service, expected: `at most ${services} services (limits.services)` }
}

/** What is wrong with a time, in the words of the limit that it breaks; null if nothing. */
export function checkTime (at: number, { oldestSampleSeconds, futureSampleSeconds }: Limits, now: number): Omit<ErrorDetail, 'path'> | null {
  const newest = now + futureSampleSeconds * 1000
  const oldest = now - oldestSampleSeconds * 1000
  if (at > newest) return { value: at, expected: `at most ${futureSampleSeconds} s ahead of our clock, which is ${now} (limits.futureSampleSeconds)` }
  if (at >= oldest) return null
  const hint = at * 1000 >= oldest && at * 1000 <= newest ? '; this looks like seconds, milliseconds are expected' : ''
  return { value: at, expected: `at most ${oldestSampleSeconds} s old (limits.oldestSampleSeconds)${hint}` }
}
