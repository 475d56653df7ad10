import type { Config, ScrapeSource } from './config.ts'
import type { ServiceSettings } from './config-schema.ts'
import { demoService, demoSettings } from './demo.ts'

export const ownService = 'prescale'
const scrapeSeconds = 5

/** Our own process is a real exporter, so there is something to see before anything is configured. */
const ownSettings: ServiceSettings = {
  signals: [
    { signal: 'requestsPerSecond', metric: 'prescale_http_request_duration_seconds_count', kind: 'counter' },
    { signal: 'responseTimeSeconds', metric: 'prescale_http_request_duration_seconds', kind: 'histogram' },
    { signal: 'queueLength', metric: 'prescale_queue_waiting', kind: 'gauge' },
    'nodejs'
  ],
  stepSeconds: scrapeSeconds,
  lateSeconds: 1,
  startUpSeconds: 10,
  minReplicas: 1,
  maxReplicas: 10,
  target: { cpuUsageRatio: 0.7 }
}

/** Without a file: ourselves, and the demo shop unless it is turned off. With a file: what the file says. */
export function withBuiltInServices (config: Config, { demo }: { demo: boolean }): Config {
  if (config.file !== null) return config
  const services = new Map(config.services).set(ownService, ownSettings)
  if (!demo) return { ...config, services }
  return { ...config, services: services.set(demoService, demoSettings), demoServices: new Set([demoService]) }
}

/** The exporter that we are ourselves. */
export function ownScrape (address: string): ScrapeSource {
  return { url: `${address}/metrics`, intervalSeconds: scrapeSeconds, timeoutSeconds: 2, maxBytes: 16_777_216, labels: { job: ownService } }
}
