import type { Objective } from '../src/domain.ts'
import { PrescaleError } from '../src/errors.ts'
import type { ContestSetting } from '../src/simulation/contestants.ts'
import type { Variant } from './backtest.ts'

interface Key { readonly least: number, readonly most?: number, readonly whole?: boolean, readonly of: 'setting' | 'objective' }

const keys: Readonly<Record<string, Key>> = {
  minReplicas: { least: 0, whole: true, of: 'setting' },
  maxReplicas: { least: 1, whole: true, of: 'setting' },
  target: { least: 0.01, most: 1, of: 'setting' },
  startUpSeconds: { least: 0, of: 'setting' },
  violationTarget: { least: 0.0001, most: 1, of: 'setting' },
  costPerReplicaHour: { least: 0, of: 'objective' },
  costPerViolationMinute: { least: 0, of: 'objective' }
}

interface Present { readonly setting: Omit<ContestSetting, 'scoreFrom'>, readonly objective: Objective | undefined }

/**
 * "minReplicas=3,startUpSeconds=60" as what it changes.
 *
 * @throws PrescaleError `invalid-request` naming the key, and what is expected.
 */
export function parseVariant (text: string, { setting, objective }: Present): Variant {
  const changes = { setting: {} as Record<string, number>, objective: {} as Record<string, number> }
  for (const part of text.split(',')) {
    const [key, value] = part.split('=')
    if (!Object.hasOwn(keys, key)) throw new PrescaleError('invalid-request', `--what-if ${text}: ${key} cannot be changed; what can be is ${Object.keys(keys).join(', ')}.`)
    changes[keys[key].of][key] = numberOf(text, { key, value, ...keys[key] })
  }
  const changed = { ...setting, ...changes.setting }
  if (changed.minReplicas > changed.maxReplicas) {
    throw new PrescaleError('invalid-request', `--what-if ${text}: minReplicas would be ${changed.minReplicas}, more than maxReplicas, which is ${changed.maxReplicas}.`)
  }
  const priced = { ...objective, ...changes.objective }
  if (Object.keys(changes.objective).length > 0 && Object.keys(priced).length < 2) {
    throw new PrescaleError('invalid-request', `--what-if ${text}: costPerReplicaHour and costPerViolationMinute only say something together.`)
  }
  return {
    name: text,
    setting: changes.setting,
    ...(Object.keys(changes.objective).length > 0 && { policy: { objective: priced as Objective } })
  }
}

function numberOf (text: string, { key, value, least, most = Infinity, whole = false }: Key & { key: string, value: string }): number {
  const number = Number(value)
  if (value.trim() !== '' && number >= least && number <= most && number < Infinity && (!whole || Number.isInteger(number))) return number
  const range = most === Infinity ? `from ${least}` : `from ${least} to ${most}`
  throw new PrescaleError('invalid-request', `--what-if ${text}: ${key} is "${value}"; a ${whole ? 'whole ' : ''}number ${range} is expected.`)
}
