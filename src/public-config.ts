import type { Config } from './config.ts'

/** The configuration as it may be shown: what may hold a secret is left out, of addresses whatever follows the path. */
export function publicConfig ({ redisUrl, push, sources, services, demoServices, ...rest }: Config): Record<string, unknown> {
  const { scrape, prometheus, ...others } = sources
  const shown = <T extends { readonly url: string }>(source: T) => ({ ...source, url: withoutQuery(source.url) })
  return {
    ...rest,
    redis: redisUrl === null ? null : 'set',
    sources: { ...others, scrape: scrape.map(shown), prometheus: prometheus.map(shown) },
    push: push.map(({ kind, url, services: whose }) => ({ kind, host: new URL(url).host, services: whose })),
    services: Object.fromEntries(services),
    demoServices: [...demoServices]
  }
}

function withoutQuery (url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
