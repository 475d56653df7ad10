import type { Configuration, Signals } from '../domain.ts'
import { decode, encode, towardsFeasible, type ParameterSpace } from './parameters.ts'
import { isInSeconds } from './roles.ts'

const threadsPerBusyThread = 1.5
/** A call that takes 2.5 times as long as the mean answer is rarely worth waiting for; one cut earlier is mostly tried again in vain. */
const timeoutPerResponse = 2.5
const memoryCeiling = 0.88
const manyErrors = 0.1

/**
 * What plain monitoring forbids, whatever a model hopes: threads below 1.5 × those busy now (Little's law; at most the default is asked for), twice
 * the present ones while requests queue, a timeout below 2.5 × the mean response time, memory that would pass 88 % if all of it grew in proportion, more than one retry while every tenth request fails.
 * Only parameters that have a role are touched.
 *
 * @param current the configuration under which the signals were measured.
 * @returns the nearest point that is allowed and meets the constraints.
 */
export function createGuard (space: ParameterSpace, signals: Signals, current: Configuration): (unit: readonly number[]) => number[] {
  const limits = space.parameters.flatMap(parameter => {
    const { name, role } = parameter
    if (role === undefined || (parameter.kind !== 'integer' && parameter.kind !== 'real')) return []
    const present = current[name] as number
    if (role === 'threads') {
      const queueing = signals.queueLength > 0.5 * present
      const asked = Math.max(Math.ceil(threadsPerBusyThread * (signals.threadCount ?? 0)), queueing ? 2 * present : 0)
      return [{ name, low: Math.min(parameter.default, asked), high: parameter.high }]
    }
    if (role === 'timeout' && signals.responseTimeSeconds > 0) {
      const asked = timeoutPerResponse * signals.responseTimeSeconds * (isInSeconds(parameter) ? 1 : 1000)
      return [{ name, low: Math.min(parameter.default, asked), high: parameter.high }]
    }
    if (role === 'memory') {
      const ratio = signals.memoryUsageRatio
      const high = ratio > 0 ? Math.max(parameter.low, present * memoryCeiling / ratio) : parameter.high
      return [{ name, low: parameter.low, high: Math.min(parameter.high, high) }]
    }
    if (role === 'retries' && signals.errorRatio > manyErrors) return [{ name, low: parameter.low, high: Math.max(parameter.low, 1) }]
    return []
  })
  const defaults = encode(space, space.defaults)
  return unit => {
    const config: Record<string, Configuration[string]> = { ...decode(space, unit) }
    for (const { name, low, high } of limits) config[name] = Math.min(high, Math.max(low, config[name] as number))
    return towardsFeasible(space, encode(space, config), defaults)
  }
}
