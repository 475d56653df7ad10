import type { Parameter } from '../domain.ts'

type Role = NonNullable<Parameter['role']>

const amounts = ['size', 'count', 'limit', 'max', 'number']
const units = ['ms', 'millis', 'milliseconds', 's', 'sec', 'secs', 'second', 'seconds', 'b', 'bytes', 'kb', 'kib', 'mb', 'mib', 'megabytes', 'gb', 'gib', 'gigabytes']

/** A name means a role that says one of these words, and ends (its unit aside) with one of them or with an amount. */
const words: readonly (readonly [Role, readonly string[]])[] = [
  ['timeout', ['timeout']],
  ['retries', ['retry', 'retries', 'attempts']],
  ['batch', ['batch']],
  ['threads', ['thread', 'threads', 'worker', 'workers', 'concurrency', 'parallelism']],
  ['memory', ['cache', 'heap', 'memory', 'buffer']],
  ['threads', ['pool']]
]

/** `threadPoolSize`, `thread_pool_size` and `THREAD_POOL_SIZE` are thread, pool, size. */
function wordsOf (name: string): string[] {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase().split('_').filter(word => word !== '')
}

/** What a parameter probably is to its service, by its name; undefined where that does not say. `cacheMegabytes` is memory, `cacheTtlSeconds` is not. */
export function roleOf (name: string): Role | undefined {
  const all = wordsOf(name)
  while (all.length > 1 && units.includes(all.at(-1)!)) all.pop()
  return words.find(([, own]) => own.some(word => all.includes(word)) && [...own, ...amounts].includes(all.at(-1)!))?.[0]
}

/** Whether a timeout is in seconds, by its unit or else by its name; in milliseconds where neither says so. */
export function isInSeconds ({ name, unit }: Pick<Parameter, 'name' | 'unit'>): boolean {
  return ['s', 'sec', 'secs', 'second', 'seconds'].includes(unit ?? wordsOf(name).at(-1)!)
}
