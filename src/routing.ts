import { resolveService, type Config } from './config.ts'
import { resolveSignals } from './ingest/mapping.ts'
import { createRouter, type Router } from './ingest/router.ts'
import type { DecisionStore } from './store/decision-store.ts'
import type { SettingsStore } from './store/settings-store.ts'
import type { Telemetry } from './telemetry.ts'

interface RoutingOptions {
  readonly config: () => Config
  readonly settings: Pick<SettingsStore, 'list'>
  readonly decisions: Pick<DecisionStore, 'services'>
  readonly telemetry: Pick<Telemetry, 'knowServices' | 'log'>
}

/** Another process may have put or removed settings. */
const refreshMs = 5_000

/**
 * The router of raw points, always according to the present file and to what was put over HTTP. While Redis is away the last one serves.
 */
export function createRouting ({ config, settings, decisions, telemetry }: RoutingOptions) {
  let put: { service: string, settings: unknown }[] = []
  let known: string[] = []
  let router = build()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function build (): Router {
    const present = config()
    const stored = new Map(put.map(({ service, settings }) => [service, settings]))
    const names = [...new Set([...present.services.keys(), ...stored.keys()])]
    telemetry.knowServices(names)
    const { serviceLabel, signals = present.defaults.signals ?? [] } = present.sources.remoteWrite
    return createRouter(names.map((service) => resolveService(service, stored.get(service) ?? null, present)), {
      ...(serviceLabel !== undefined && { discovery: { label: serviceLabel, mappings: resolveSignals(signals) } }),
      maxServices: present.limits.services,
      known
    })
  }

  /** After the file was read again. */
  function rebuild (): void {
    router = build()
  }

  /** Reads what was put; builds a new router only if something changed, since a router remembers what it has seen. */
  async function refresh (): Promise<void> {
    const [putNow, heard] = await Promise.all([settings.list(), decisions.services()])
    known = heard.map(({ service }) => service)
    if (JSON.stringify(putNow) === JSON.stringify(put)) return
    put = putNow
    rebuild()
  }

  function again (): void {
    timer = setTimeout(() => {
      refresh().catch((error: unknown) => telemetry.log.debug({ err: error }, 'settings could not be read')).finally(() => { if (!closed) again() })
    }, refreshMs).unref()
  }
  again()

  return {
    router: () => router,
    refresh,
    rebuild,
    close: () => {
      closed = true
      clearTimeout(timer)
    }
  }
}
export type Routing = ReturnType<typeof createRouting>
