import type { Keys } from './keys.ts'
import { answered, type RedisClient } from './redis.ts'

/**
 * The generic cell rate algorithm: one number for each holder, the time at which all that was taken so far would have been due.
 *
 *   KEYS[1] that time in ms of Redis' clock      ARGV[1] per minute      ARGV[2] what may come at once
 *
 * Returns 0 when one more may come, else the ms after which it may. The clock is that of Redis, so processes need not agree on theirs.
 */
const takeLua = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local apart = 60000 / tonumber(ARGV[1])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = due - apart * (tonumber(ARGV[2]) - 1) - now
if wait > 0 then return math.ceil(wait) end
due = due + apart
redis.call('SET', KEYS[1], string.format('%.3f', due), 'PX', math.ceil(due - now) + 1000)
return 0
`

/** A tenth of a minute's worth may come at once. */
const burstOf = (perMinute: number) => Math.max(1, Math.ceil(perMinute / 10))

/** Counts what each holder of a token does, over all processes. */
export function createRateLimit ({ redis, keys }: { readonly redis: RedisClient, readonly keys: Keys }) {
  redis.defineCommand('prescaleTake', { numberOfKeys: 1, lua: takeLua })
  const scripts = redis as unknown as { prescaleTake (...args: (string | number)[]): Promise<number> }

  /**
   * @returns 0 when it may, else the ms after which it may try again.
   * @throws PrescaleError 'store-unavailable'.
   */
  const take = (holder: string, perMinute: number): Promise<number> =>
    answered(redis, () => scripts.prescaleTake(keys.rate(holder), perMinute, burstOf(perMinute)))

  return { take }
}
export type RateLimit = ReturnType<typeof createRateLimit>
