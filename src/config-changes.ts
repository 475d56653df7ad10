import type { Config } from './config.ts'

/** The settings that were used at the start for good, and so far differ only in the file. */
export function needRestart (before: Config, after: Config): string[] {
  const [old, next] = [startSettings(before), startSettings(after)]
  return Object.keys(old).filter((key) => JSON.stringify(old[key]) !== JSON.stringify(next[key]))
}

function startSettings ({ listen, tls, monitoring, grpc, kubernetes, redisUrl, partitions, dataDirectory, modelsDirectory, logLevel, limits }: Config): Record<string, unknown> {
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
