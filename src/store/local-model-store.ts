import { createHash, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { modelLives, type ModelLife, type ModelStanding } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import type { Keys } from './keys.ts'
import { answered, type RedisClient } from './redis.ts'

/** What is known of a model that was learned from one service: what a manifest is to a shipped one. */
export interface LocalModel {
  /** As decisions carry it, such as "local/3". */
  readonly version: string
  readonly kind: 'load-forecaster'
  /** Epoch ms. */
  readonly trainedAt: number
  readonly rows: number
  /** Epoch ms: begin and end of what it was learned from. */
  readonly range: { readonly from: number, readonly to: number }
  readonly seed: number
  readonly horizonSteps: number
  /** On forecasts that neither had seen, a model that was learned like it beside the one that was in use. */
  readonly heldBack: { readonly forecasts: number, readonly loss: number, readonly rival: string, readonly rivalLoss: number }
  readonly sha256: string
  /** As it is in memory, and as it is kept. */
  readonly bytes: number
  readonly storedBytes: number
}

/** What learning came to for one service. */
export interface LearningRecord {
  readonly format: 1
  readonly service: string
  /** How many models were learned so far. */
  readonly learned: number
  /** Epoch ms: when it was tried last, and from when on it is worth trying again. */
  readonly triedAt: number
  readonly nextAt: number
  /** What came of the last attempt, in a sentence. */
  readonly outcome: string
  /** Oldest first; at most two, the one in use and a newer one. */
  readonly models: readonly LocalModel[]
}

/**
 * Writes a record, and a new model with it, or nothing: only while the lock is held, and a model only while the one in use is the one that was in use before.
 *
 *   KEYS[1] lock   KEYS[2] the service (hash)   KEYS[3] records of the partition (hash)   KEYS[4] the new model   KEYS[5…] models that are removed
 *   ARGV[1] token of the lock   ARGV[2] version that is in use, or ''   ARGV[3] service   ARGV[4] record as JSON   ARGV[5] bytes, or ''
 */
const saveLua = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('HEXISTS', KEYS[2], 'version') == 0 then return 0 end
if ARGV[5] ~= '' then
  if (redis.call('HGET', KEYS[2], 'inUse') or '') ~= ARGV[2] then return 0 end
  redis.call('SET', KEYS[4], ARGV[5])
end
for i = 5, #KEYS do redis.call('DEL', KEYS[i]) end
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4])
return 1
`
const unlockLua = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`
const extendLua = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
`
interface Scripts {
  prescaleSaveModel (...args: (number | string | Uint8Array)[]): Promise<number>
  prescaleUnlock (key: string, token: string): Promise<number>
  prescaleExtend (key: string, token: string, ms: number): Promise<number>
}

const [compress, decompress] = [promisify(gzip), promisify(gunzip)]

/**
 * Models that were learned from single services, in Redis, so that every worker has them: at most two for a service, each of about a megabyte.
 *
 * @throws PrescaleError 'store-unavailable' from each of them.
 */
export function createLocalModelStore ({ redis, keys }: { readonly redis: RedisClient, readonly keys: Keys }) {
  redis.defineCommand('prescaleSaveModel', { lua: saveLua })
  redis.defineCommand('prescaleUnlock', { numberOfKeys: 1, lua: unlockLua })
  redis.defineCommand('prescaleExtend', { numberOfKeys: 1, lua: extendLua })
  const scripts = redis as unknown as Scripts

  const read = (service: string): Promise<LearningRecord | null> => answered(redis, async () =>
    parseRecord(await redis.hget(keys.learning(keys.partitionOf(service)), service)))

  /** By the name of the service. */
  const list = (): Promise<LearningRecord[]> => answered(redis, async () => {
    const hashes = await Promise.all(Array.from({ length: keys.partitions }, (_, partition) => redis.hvals(keys.learning(partition))))
    return hashes.flat().flatMap(json => parseRecord(json) ?? []).sort((a, b) => a.service < b.service ? -1 : 1)
  })

  /** How the models of these services did so far; none for a service that has none. */
  const standings = (services: readonly string[]): Promise<ReadonlyMap<string, readonly ModelStanding[]>> => answered(redis, async () => {
    if (services.length === 0) return new Map()
    const found = await Promise.all(services.map(service => redis.hget(keys.service(service), 'contest')))
    return new Map(services.map((service, i) => [service, found[i] === null ? [] : JSON.parse(found[i]) as ModelStanding[]]))
  })

  /** Of every service that has a model of its own, the life of the one that is furthest. */
  const lives = async (): Promise<ModelLife[]> => {
    const services = (await list()).filter(({ models }) => models.length > 0).map(({ service }) => service)
    const found = await standings(services)
    return services.map(service => modelLives.findLast(life => found.get(service)?.some(standing => standing.life === life)) ?? 'shadow')
  }

  /** The model file; null where it is not there any more. @throws PrescaleError 'model-format' if it was altered. */
  const bytes = async (service: string, { version, sha256 }: Pick<LocalModel, 'version' | 'sha256'>): Promise<Uint8Array | null> => {
    const stored = await answered(redis, () => redis.getBuffer(keys.localModel(service, version)))
    if (stored === null) return null
    const file = new Uint8Array(await decompress(stored).catch(() => Buffer.alloc(0)))
    if (hashOf(file) !== sha256) throw new PrescaleError('model-format', `The kept model ${version} of ${service} was altered.`)
    return file
  }

  /** Makes the caller the only one that learns from this service, for so long or until it gives it back; null where somebody does already. */
  const lock = (service: string, { ms }: { ms: number }): Promise<LearningLock | null> => answered(redis, async () => {
    const key = keys.learningLock(service)
    const token = randomUUID()
    if (await redis.set(key, token, 'PX', ms, 'NX') !== 'OK') return null
    const extend = () => answered(redis, async () => await scripts.prescaleExtend(key, token, ms) === 1)
    const release = () => answered(redis, async () => { await scripts.prescaleUnlock(key, token) })
    return { service, token, extend, release }
  })

  /**
   * Keeps a record, and with it a new model; models that the record does not name any more are removed.
   *
   * @returns false when the lock was lost, the service forgotten, or another model came into use meanwhile; then nothing was written.
   */
  const save = async (held: LearningLock, before: LearningRecord | null, { record, model }: SavedLearning): Promise<boolean> => {
    const { service, token } = held
    const stored = model === undefined ? '' : await compressed(model.bytes)
    const named = new Set(record.models.map(({ version }) => version))
    const removed = (before?.models ?? []).filter(({ version }) => !named.has(version)).map(({ version }) => keys.localModel(service, version))
    const touched = [
      keys.learningLock(service), keys.service(service), keys.learning(keys.partitionOf(service)), keys.localModel(service, model?.version ?? 'none'), ...removed
    ]
    return await answered(redis, async () =>
      await scripts.prescaleSaveModel(touched.length, ...touched, token, model?.inUse ?? '', service, JSON.stringify(record), stored) === 1)
  }

  return { read, list, standings, lives, bytes, lock, save }
}
export type LocalModelStore = ReturnType<typeof createLocalModelStore>
/** Held by one process of all; it is lost when it is not extended in time. */
export interface LearningLock {
  readonly service: string
  readonly token: string
  /** False when it is lost. */
  extend (): Promise<boolean>
  release (): Promise<void>
}
export interface SavedLearning {
  readonly record: LearningRecord
  /** `inUse` is the version that was in use when it was decided which model goes. */
  readonly model?: { readonly version: string, readonly bytes: Uint8Array, readonly inUse: string | null }
}

const compressedFiles = new WeakMap<Uint8Array, Promise<Uint8Array>>()

/** Once for each model, because its size is asked for before it is written. */
export function compressed (bytes: Uint8Array): Promise<Uint8Array> {
  let file = compressedFiles.get(bytes)
  if (file === undefined) {
    file = compress(bytes)
    compressedFiles.set(bytes, file)
  }
  return file
}

export function hashOf (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A record of another release is as good as none. */
export function parseRecord (json: string | null): LearningRecord | null {
  const record = json === null ? null : JSON.parse(json) as LearningRecord
  return record?.format === 1 ? record : null
}
