import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { createAdmission } from '../../src/admission.ts'
import { openAccess } from '../../src/access/access.ts'
import { createApp } from '../../src/api/app.ts'
import type { Api, ApiOptions, KeptTuning } from '../../src/api/context.ts'
import { loadConfig, type Config } from '../../src/config.ts'
import type { Decision, Incident, ModelStanding, Savings, Suggestion, TimedOverride, Verdict } from '../../src/domain.ts'
import { PrescaleError } from '../../src/errors.ts'
import { createRouting } from '../../src/routing.ts'
import type { AuditEntry, StoredAuditEntry } from '../../src/store/audit-log.ts'
import type { DeadLetter } from '../../src/store/dead-letters.ts'
import type { Envelope } from '../../src/store/envelope.ts'
import type { IncidentQuery } from '../../src/store/incident-store.ts'
import type { KeptLoads } from '../../src/store/load-store.ts'
import type { LearningRecord } from '../../src/store/local-model-store.ts'
import type { PastVerdict } from '../../src/store/past-verdict.ts'
import type { ServiceSummary } from '../../src/store/summary.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { silent } from '../support/redis.ts'

export const now = Date.UTC(2026, 10, 20, 12)

export function configOf (yaml: string): Config {
  const directory = mkdtempSync(join(tmpdir(), 'prescale-api-'))
  try {
    const configPath = join(directory, 'prescale.yaml')
    writeFileSync(configPath, yaml)
    return loadConfig({ configPath }, {})
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** The stores as they look from outside, in memory. `down` makes each of them fail as it does when Redis is away. */
export function createFakes () {
  const fakes = {
    down: false,
    overloaded: false,
    /** Round trips to Redis. */
    reads: 0,
    decisions: new Map<string, Decision>(),
    history: new Map<string, Decision[]>(),
    verdicts: new Map<string, Verdict>(),
    savings: new Map<string, Savings>(),
    loads: new Map<string, KeptLoads>(),
    overrides: new Map<string, TimedOverride[]>(),
    learning: new Map<string, LearningRecord>(),
    standings: new Map<string, ModelStanding[]>(),
    suggestions: new Map<string, Suggestion>(),
    tuning: new Map<string, KeptTuning>(),
    pastVerdicts: new Map<string, PastVerdict[]>(),
    incidents: [] as Incident[],
    summaries: [] as ServiceSummary[],
    put: new Map<string, unknown>(),
    targets: new Map<string, unknown>(),
    audit: [] as StoredAuditEntry[],
    letters: [] as DeadLetter[],
    queued: [] as Envelope[]
  }
  const asked = async <T>(answer: () => T): Promise<T> => {
    fakes.reads++
    if (fakes.down) throw new PrescaleError('store-unavailable', 'Redis does not answer: Connection is closed.')
    return answer()
  }
  const known = (service: string) => fakes.decisions.has(service) || fakes.summaries.some((summary) => summary.service === service)
  const stores = {
    decisions: {
      latest: (service: string) => asked(() => fakes.decisions.get(service) ?? null),
      latestJson: (service: string) => asked(() => JSON.stringify(fakes.decisions.get(service) ?? null)),
      verdict: (service: string) => asked(() => fakes.verdicts.get(service) ?? null),
      savings: (service: string) => asked(() => fakes.savings.get(service) ?? null),
      suggestion: (service: string) => asked(() => fakes.suggestions.get(service) ?? null),
      snapshot: (service: string) => asked(() => ({
        known: known(service),
        decision: fakes.decisions.get(service) ?? null,
        verdict: fakes.verdicts.get(service) ?? null,
        suggestion: fakes.suggestions.get(service) ?? null,
        savings: fakes.savings.get(service) ?? null
      })),
      history: (service: string, { since = -Infinity, limit, offset = 0 }: { since?: number, limit: number, offset?: number }) =>
        asked(() => (fakes.history.get(service) ?? []).slice(offset, offset + limit).filter(({ asOf }) => asOf > since)),
      verdicts: (service: string, { limit }: { limit: number }) => asked(() => (fakes.pastVerdicts.get(service) ?? []).slice(0, limit)),
      services: () => asked(() => fakes.summaries),
      heads: () => asked(() => [...fakes.decisions.values()].flatMap(({ service, asOf, hash }) => hash === undefined ? [] : [{ service, asOf, hash }]))
    },
    incidents: {
      find: (id: string) => asked(() => fakes.incidents.find((incident) => incident.id === id) ?? null),
      ofService: (service: string, query: IncidentQuery) => asked(() => picked(fakes.incidents, { ...query, wanted: (name) => name === service })),
      list: (query: IncidentQuery) => asked(() => picked(fakes.incidents, query))
    },
    events: {
      ready: () => asked(() => []),
      position: () => [],
      listen: () => () => {},
      read: () => asked(() => ({ events: [], position: [], trimmed: false })),
      close: () => {}
    },
    loads: { read: (service: string) => asked(() => fakes.loads.get(service) ?? null) },
    tuning: {
      read: (service: string) => asked(() => fakes.tuning.get(service) ?? { known: known(service), state: null, network: null, record: null }),
      knows: (_service: string, ids: readonly string[]) => asked(() => new Set(ids))
    },
    overrides: {
      list: (service: string, at: number) => asked(() => (fakes.overrides.get(service) ?? []).filter(({ until }) => until > at)),
      add: (service: string, override: TimedOverride) => asked(() => { fakes.overrides.set(service, [...fakes.overrides.get(service) ?? [], override]) }),
      remove: (service: string, id: string) => asked(() => {
        const found = fakes.overrides.get(service)?.find((one) => one.id === id) ?? null
        fakes.overrides.set(service, (fakes.overrides.get(service) ?? []).filter((one) => one !== found))
        return found
      })
    },
    localModels: {
      read: (service: string) => asked(() => fakes.learning.get(service) ?? null),
      list: () => asked(() => [...fakes.learning.values()]),
      standings: (services: readonly string[]) => asked(() => new Map(services.map((service) => [service, fakes.standings.get(service) ?? []])))
    },
    partitionOf: () => 0,
    page: new Map(),
    settings: {
      put: (service: string, settings: unknown) => asked(() => { fakes.put.set(service, settings) }),
      get: (service: string) => asked(() => fakes.put.get(service) ?? null),
      list: () => asked(() => [...fakes.put].map(([service, settings]) => ({ service, settings }))),
      remove: (service: string) => asked(() => fakes.put.delete(service))
    },
    forget: (service: string) => asked(() => fakes.decisions.delete(service)),
    audit: {
      append: (entry: AuditEntry) => asked(() => { fakes.audit.unshift({ id: `${fakes.audit.length + 1}-0`, ...entry }) }),
      list: ({ limit }: { limit: number }) => asked(() => fakes.audit.slice(0, limit))
    },
    targets: {
      put: (name: string, target: unknown) => asked(() => { fakes.targets.set(name, target) }),
      list: () => asked(() => [...fakes.targets].map(([name, target]) => ({ name, target }))),
      remove: (name: string) => asked(() => fakes.targets.delete(name))
    },
    deadLetters: {
      add: () => asked(() => {}),
      list: ({ limit }: { limit: number }) => asked(() => fakes.letters.slice(0, limit)),
      count: () => asked(() => fakes.letters.length),
      find: (id: string) => asked(() => fakes.letters.find((letter) => letter.id === id) ?? null),
      remove: () => asked(() => 0),
      replay: (ids: readonly string[]) => asked(() => {
        const replayed = fakes.letters.filter(({ id, kind }) => ids.includes(id) && kind !== 'unreadable').map(({ id }) => id)
        fakes.letters = fakes.letters.filter(({ id }) => !replayed.includes(id))
        return { replayed, missing: ids.filter((id) => !replayed.includes(id)) }
      })
    },
    queue: {
      enqueue: (envelopes: readonly Envelope[]) => asked(() => {
        if (fakes.overloaded) throw new PrescaleError('overloaded', '2500 batches wait in partition 3, at most 2500 may.')
        fakes.queued.push(...envelopes)
      }),
      waiting: () => asked(() => [0]),
      close: async () => {}
    }
  }
  return { fakes, stores }
}

function picked (incidents: readonly Incident[], { since = -Infinity, until = Infinity, state, limit, wanted = () => true }: IncidentQuery): Incident[] {
  const fits = (one: Incident) => one.lastAnomalyAt > since && one.lastAnomalyAt <= until && (state === undefined || one.state === state)
  return incidents.filter((one) => fits(one) && wanted(one.service)).slice(0, limit)
}

const signingKey = generateKeyPairSync('ed25519')

/** The real API on fakes. */
export async function createTestApp (yaml = '', overrides: Partial<ApiOptions> = {}) {
  let config = configOf(yaml)
  const { fakes, stores } = createFakes()
  const telemetry = createTelemetry({ log: silent, processMetrics: false })
  const routing = createRouting({ config: () => config, settings: stores.settings, decisions: stores.decisions, telemetry })
  const app = await createApp({
    config: () => config,
    access: () => openAccess,
    rateLimit: { take: async () => 0 },
    delayMs: () => 0,
    reload: async () => config,
    ...stores,
    registry: { list: async () => [] },
    models: () => ({ forecast: null, anomaly: null, config: null }),
    router: routing.router,
    settingsChanged: routing.refresh,
    sourcesChanged: async () => {},
    signingKey: () => signingKey,
    missing: async () => [],
    modelProblems: () => [],
    admission: createAdmission({ config: () => config, ...stores, now: () => now }),
    telemetry,
    now: () => now,
    ...overrides
  })
  const close = async () => {
    routing.close()
    await app.close()
  }
  return { app, fakes, telemetry, close, setConfig: (next: Config) => { config = next } }
}

export async function call (app: Api, method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH', url: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await app.inject({ method, url, headers, ...(body !== undefined && { payload: body as object }) })
  const type = String(response.headers['content-type'] ?? '')
  return { status: response.statusCode, headers: response.headers, type, text: response.body, body: type.includes('json') ? response.json() as Record<string, any> : {} }
}

/** An answer that is a problem as RFC 9457 wants it, without anything of our inside. */
export function expectProblem ({ status, type, text, body }: Awaited<ReturnType<typeof call>>, expected: { status: number, code: string }): Record<string, any> {
  expect({ status, type: type.split(';')[0] }).toEqual({ status: expected.status, type: 'application/problem+json' })
  expect(body).toMatchObject({ type: `urn:prescale:problem:${expected.code}`, status: expected.status, title: expect.any(String), detail: expect.any(String) })
  expect(text).not.toMatch(/\bat .+\.(ts|js):\d+/)
  return body
}

export function decisionOf (service: string, more: Partial<Decision> = {}): Decision {
  return {
    service,
    mode: 'act',
    asOf: now - 30_000,
    validUntil: now + 150_000,
    replicas: 14,
    currentReplicas: 12,
    source: 'forecast',
    rawRecommendations: [{ source: 'forecast', replicas: 14, reason: 'load stays below 980 for 180 s with probability 0.95: 14 replicas' }],
    adjustments: [],
    reason: 'load stays below 980 for 180 s with probability 0.95: 14 replicas',
    load: 800,
    capacity: 70,
    forecast: { horizonSeconds: 180, quantiles: [{ quantile: 0.5, load: 850 }, { quantile: 0.95, load: 980 }], modelVersion: 'forecast 1' },
    topFeatures: [{ name: 'lag1', value: 0.1, importance: 0.4 }],
    missingSignals: [],
    modelVersion: 'forecast 1',
    ...more
  }
}
