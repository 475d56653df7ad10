import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { Access } from '../access/access.ts'
import type { Config } from '../config.ts'
import type { Router } from '../ingest/router.ts'
import type { Models } from '../pipeline.ts'
import type { AuditLog } from '../store/audit-log.ts'
import type { DeadLetters } from '../store/dead-letters.ts'
import type { DecisionStore } from '../store/decision-store.ts'
import type { EventStream } from '../store/event-stream.ts'
import type { IncidentStore } from '../store/incident-store.ts'
import type { LoadStore } from '../store/load-store.ts'
import type { LocalModelStore } from '../store/local-model-store.ts'
import type { ModelRegistry } from '../store/model-registry.ts'
import type { OverrideStore } from '../store/override-store.ts'
import type { PushQueue } from '../store/push-queue.ts'
import type { RateLimit } from '../store/rate-limit.ts'
import type { SampleQueue } from '../store/sample-queue.ts'
import type { SettingsStore } from '../store/settings-store.ts'
import type { StaticFile } from '../store/static-files.ts'
import type { SigningKey } from '../store/signing-key.ts'
import type { TargetStore } from '../store/target-store.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Certificates } from '../tls-files.ts'
import type { Admission } from '../admission.ts'
import type { TuningState } from '../policy/suggest.ts'
import type { TuningRecord } from '../tuning/record.ts'
import type { Settling } from './feedback-settling.ts'
import type { ApiMetrics } from './metrics.ts'

export type Api = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, TypeBoxTypeProvider>

/** What is kept of the tuning of a service. */
export interface KeptTuning {
  /** False for a service that nothing was ever written of. */
  readonly known: boolean
  readonly state: TuningState | null
  readonly network: Uint8Array | null
  readonly record: TuningRecord | null
}

/** What the API is given. Everything that changes while we run is a function. */
export interface ApiOptions {
  readonly config: () => Config
  readonly access: () => Access
  readonly rateLimit: Pick<RateLimit, 'take'>
  /** How late the event loop is; measured where not given. */
  readonly delayMs?: () => number
  /** Served without TLS where not given. */
  readonly tls?: Certificates | null
  /** Re-reads the file; throws `invalid-config` and keeps the old one if it is bad. */
  readonly reload: () => Promise<Config>
  readonly decisions: DecisionStore
  readonly incidents: IncidentStore
  readonly events: EventStream
  /** Loads of the past, for simulations. */
  readonly loads: LoadStore
  /** What was learned from single services. */
  readonly localModels: Pick<LocalModelStore, 'read' | 'list' | 'standings'>
  /** The files of the page for people; none where it was not built. */
  readonly page: ReadonlyMap<string, StaticFile>
  readonly tuning: {
    read (service: string): Promise<KeptTuning>
    /** Which of these feedbacks it has learned from. */
    knows (service: string, ids: readonly string[]): Promise<ReadonlySet<string>>
  }
  readonly partitionOf: (service: string) => number
  readonly settings: SettingsStore
  /** What operators said for a while. */
  readonly overrides: OverrideStore
  /** Forgets what was learned of a service; false when there was nothing. */
  readonly forget: (service: string) => Promise<boolean>
  readonly deadLetters: DeadLetters
  readonly targets: TargetStore
  readonly audit: AuditLog
  /** @throws PrescaleError `not-ready`. */
  readonly signingKey: () => SigningKey
  /** Called after exporters were added or removed over HTTP. */
  readonly sourcesChanged: () => Promise<void>
  readonly queue: SampleQueue
  /** Messages to webhooks and Alertmanagers; without it nothing of them is served. */
  readonly pushQueue?: PushQueue
  readonly registry: Pick<ModelRegistry, 'list'>
  readonly models: () => Models
  readonly router: () => Router
  /** Called after settings were put or removed, so that the router knows of it at once. */
  readonly settingsChanged: () => Promise<void>
  /** What stands between us and being ready; empty when we are. */
  readonly missing: () => Promise<string[]>
  /** Why a model is not in use, in a sentence each. */
  readonly modelProblems: () => readonly string[]
  readonly admission: Admission
  readonly telemetry: Telemetry
  /** Epoch ms. */
  readonly now: () => number
}

/** What the routes work with. */
export interface ApiContext extends ApiOptions {
  readonly metrics: ApiMetrics
  readonly settling: Settling
}
