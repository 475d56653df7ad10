import { Counter, Gauge } from 'prom-client'
import type { Admission } from './admission.ts'
import { checkTime } from './admission.ts'
import { toScrapeSource, type Config, type PrometheusSource, type ScrapeSource } from './config.ts'
import type { Point, Sample } from './domain.ts'
import { createOutbound } from './ingest/outbound.ts'
import { publicReach } from './ingest/reach.ts'
import { pollServices } from './ingest/poll.ts'
import type { Router } from './ingest/router.ts'
import { fetchExposition } from './ingest/scrape.ts'
import type { Envelope } from './store/envelope.ts'
import type { SampleQueue } from './store/sample-queue.ts'
import type { ScheduledSource } from './store/schedules.ts'
import type { Telemetry } from './telemetry.ts'

type SourceData = ({ readonly kind: 'scrape', readonly overHttp?: true } & ScrapeSource) | ({ readonly kind: 'prometheus' } & PrometheusSource)

/** What is to be fetched, as the schedules keep it. */
export function scheduledSources ({ scrape, prometheus }: Pick<Config['sources'], 'scrape' | 'prometheus'>): ScheduledSource[] {
  const sources: SourceData[] = [...scrape.map((source) => ({ kind: 'scrape' as const, ...source })), ...prometheus.map((source) => ({ kind: 'prometheus' as const, ...source }))]
  return sources.map((data) => ({ id: `${data.kind} ${data.url}`, everySeconds: data.intervalSeconds, data }))
}

/** The same of exporters that were added over HTTP. */
export function scheduledTargets (targets: readonly { name: string, target: unknown }[]): ScheduledSource[] {
  return targets.map(({ name, target }) => {
    const data: SourceData = { kind: 'scrape', overHttp: true, ...toScrapeSource(target as Parameters<typeof toScrapeSource>[0]) }
    return { id: `target ${name}`, everySeconds: data.intervalSeconds, data }
  })
}

interface SourceHandlerOptions {
  readonly config: () => Config
  readonly router: () => Router
  readonly queue: Pick<SampleQueue, 'enqueue'>
  readonly admission: Pick<Admission, 'admits'>
  readonly telemetry: Pick<Telemetry, 'registry' | 'log'>
  readonly now: () => number
}

/** Fetches a source that is due, and queues what it says for the services that want it. */
export function createSourceHandler ({ config, router, queue, admission, telemetry: { registry, log }, now }: SourceHandlerOptions) {
  const outbound = createOutbound()
  const guarded = createOutbound({ reach: () => publicReach(config().sources.overHttp.allow) })
  const up = new Gauge({ name: 'prescale_source_up', help: 'Whether a source answered when it was asked last.', labelNames: ['source'], registers: [registry] })
  const leftOut = new Counter({
    name: 'prescale_source_left_out_total', help: 'Points and services of sources that a limit kept out.', labelNames: ['source', 'limit'], registers: [registry]
  })
  const down = new Set<string>()

  /** Says once that a source is down, and once that it is back. */
  function report (id: string, reason: string | null): void {
    up.set({ source: id }, reason === null ? 1 : 0)
    if (reason !== null && !down.has(id)) log.warn({ source: id }, `${reason} Its signals are missing until it answers.`)
    if (reason === null && down.has(id)) log.info({ source: id }, 'the source answers again')
    if (reason === null) down.delete(id)
    else down.add(id)
  }

  async function scrape (id: string, source: ScrapeSource & { overHttp?: true }): Promise<void> {
    if (source.overHttp && !config().sources.overHttp.enabled) return
    const { limits } = config()
    const present = now()
    const { points, reason } = await fetchExposition({ ...source, limits }, present, source.overHttp ? guarded : outbound)
    report(id, reason)
    const timely = points.filter(({ at }) => checkTime(at, limits, present) === null)
    const { byService, droppedBy } = router().route(timely)
    leftOut.inc({ source: id, limit: 'time' }, points.length - timely.length)
    leftOut.inc({ source: id, limit: 'services' }, droppedBy.overLimit)
    await send(id, [...byService].map(([service, own]) => ({ kind: 'points', service, points: own as Point[] })))
  }

  async function poll (id: string, source: PrometheusSource): Promise<void> {
    const { samples, failed } = await pollServices(source, { at: now(), ...outbound }).catch((error: Error) => ({ samples: [] as Sample[], failed: [{ signal: 'all', reason: error.message }] }))
    report(id, failed.length === 0 ? null : failed.map(({ signal, reason }) => `${signal}: ${reason}`).join(' '))
    await send(id, samples.map((sample) => ({ kind: 'samples', service: sample.service, samples: [sample] })))
  }

  async function send (id: string, envelopes: readonly Envelope[]): Promise<void> {
    const admitted: Envelope[] = []
    for (const envelope of envelopes) if (await admission.admits(envelope.service)) admitted.push(envelope)
    const refused = envelopes.length - admitted.length
    leftOut.inc({ source: id, limit: 'services' }, refused)
    if (refused > 0) log.warn({ source: id }, `${refused} services were left out: there are as many as limits.services allows`)
    await queue.enqueue(admitted)
  }

  async function handle ({ id, data }: ScheduledSource): Promise<void> {
    const source = data as SourceData
    await (source.kind === 'scrape' ? scrape(id, source) : poll(id, source))
  }

  const close = async () => {
    await Promise.all([outbound.close(), guarded.close()])
  }

  return { handle, close }
}
