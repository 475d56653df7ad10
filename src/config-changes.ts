import type { Config } from './config.ts'

/** The settings that were used at the start for good, and so far differ only in the file. */
export function needRestart (before: Config, after: Config): string[] {
  const [old, next] = [startSettings(before), startSettings(after)]
  return Object.keys(old).filter((key) => JSON.stringify(old[key]) !== JSON.stringify(next[key]))
}

function startSettings (config: Config): Record<string, unknown> {
  const { listen, tls, monitoring, grpc, kubernetes, redisUrl, partitions, dataDirectory, modelsDirectory, logLevel, limits } = config
  return {
    listen,
    'listen.tls': tls,
    'listen.monitoring': monitoring,
    'listen.grpc': grpc,
    'listen.kubernetes': kubernetes,
    'redis.url': redisUrl,
    partitions,
    dataDirectory,
    modelsDirectory,
    logLevel,
    'limits.bodyBytes': limits.bodyBytes,
    'limits.waitingJobs': limits.waitingJobs,
    'limits.historyDecisions': limits.historyDecisions
  }
}

const mostChangesBytes = 4096

/** By key what was and what is; only the keys where that is too long for a line. A key that there was not, or is not any more, is null. */
export function differences (before: object, after: object): Record<string, unknown> | string[] {
  const [old, next] = [before, after] as Record<string, unknown>[]
  const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])].filter((key) => JSON.stringify(old[key]) !== JSON.stringify(next[key]))
  const changes = Object.fromEntries(keys.map((key) => [key, { before: old[key] ?? null, after: next[key] ?? null }]))
  return JSON.stringify(changes).length > mostChangesBytes ? keys : changes
}

/** The same of two configurations; what may hold secrets is named, and not shown. */
export function configDifferences (before: Config, after: Config): Record<string, unknown> | string[] {
  const shown = ({ services, demoServices, redisUrl, push, ...rest }: Config) => ({
    ...rest, demoServices: [...demoServices], ...Object.fromEntries([...services].map(([service, settings]) => [`services.${service}`, settings]))
  })
  const secret = (['redisUrl', 'push'] as const).filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
  const changes = differences(shown(before), shown(after))
  if (Array.isArray(changes)) return [...changes, ...secret]
  return { ...changes, ...Object.fromEntries(secret.map((key) => [key, 'changed'])) }
}
