import { existsSync, readFileSync } from 'node:fs'
import type { Static } from 'typebox'
import type { Policy } from './domain.ts'
import { PrescaleError, type ErrorDetail } from './errors.ts'
import { publicReach } from './ingest/reach.ts'
import { resolveSignals, type SignalMapping } from './ingest/mapping.ts'
import { readConfigText, type ConfigText } from './config-file.ts'
import { buildAdapters, checkAdapters, isLoopback, withoutSecrets, type AdapterConfig } from './config-adapters.ts'
import { checkSettings, toPolicy } from './config-service.ts'
import { sections, withDefaults, type ConfigFile, type ServiceSettings } from './config-schema.ts'

type Section<K extends keyof typeof sections, Absent extends string = never> =
  Required<Omit<Static<typeof sections[K]>, Absent>> & Pick<Static<typeof sections[K]>, Absent & keyof Static<typeof sections[K]>>

export type Limits = Section<'limits'>
export type Learning = Section<'learning'>
export type ScrapeSource = Section<'scrape', 'labels'>
export type PrometheusSource = Section<'prometheus'>
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = typeof logLevels[number]

/** `prescale.yaml` with its defaults, then the environment, then the command line on top. */
export interface Config extends AdapterConfig {
  /** The file that was read; null where there was none. */
  readonly file: string | null
  readonly listen: Pick<Section<'listen'>, 'host' | 'port'>
  readonly access: Section<'access', 'tokensFile' | 'clientCertificates'>
  readonly tls: NonNullable<NonNullable<ConfigFile['listen']>['tls']> | null
  readonly monitoring: Section<'monitoring'> | null
  readonly insecure: boolean
  readonly logLevel: LogLevel
  readonly dataDirectory: string
  /** Null for the models that come with prescale. */
  readonly modelsDirectory: string | null
  readonly redisUrl: string | null
  readonly partitions: number
  readonly limits: Limits
  readonly learning: Learning
  readonly defaults: ServiceSettings
  readonly sources: {
    readonly scrape: readonly ScrapeSource[]
    readonly prometheus: readonly PrometheusSource[]
    readonly remoteWrite: Section<'remoteWrite', 'serviceLabel' | 'signals'>
    /** Exporters that are added over HTTP. */
    readonly overHttp: Section<'overHttp'>
  }
  readonly services: ReadonlyMap<string, ServiceSettings>
  /** Services that are a demonstration and say so wherever they show. */
  readonly demoServices: ReadonlySet<string>
}

/** What may stand above the file: from the environment or from the command line. */
export interface Overrides {
  readonly configPath?: string | undefined
  readonly dataDirectory?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly redisUrl?: string | undefined
  readonly insecure?: boolean | undefined
  /** Serves Kubernetes' metrics APIs also where the file says nothing of them. */
  readonly kubernetes?: boolean | undefined
  readonly logLevel?: LogLevel | undefined
}

const defaultPath = 'prescale.yaml'

/**
 * Reads the file, the environment and what the command line says, in this order of precedence from low to high.
 *
 * @throws PrescaleError `invalid-config` with every error in `details`.
 */
export function loadConfig (flags: Overrides = {}, environment: NodeJS.ProcessEnv = process.env): Config {
  const { overrides, details } = readEnvironment(environment)
  const above: Overrides = { ...overrides, ...defined(flags) }
  const named = above.configPath
  const path = named ?? (existsSync(defaultPath) ? defaultPath : null)
  const read: ConfigText = path === null ? { file: {}, details: [], placed: (found) => [...found] } : readConfigText(readFile(path), path)
  const adapters = buildAdapters({ ...read.file.listen, push: read.file.push }, above)
  const config = { ...buildConfig(read.file, above, path), ...adapters.config }
  // The rest may come from the environment or the command line, which have no lines.
  const isOfFile = ({ path }: ErrorDetail) => /^(?:services|sources|push)\b/.test(path)
  details.push(...read.details, ...[...adapters.details, ...checkConfig(config)].flatMap((detail) => isOfFile(detail) ? read.placed([detail]) : detail))
  if (details.length > 0) throw invalidConfig(path, withoutSecrets(details))
  return config
}

function readFile (path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message
    throw new PrescaleError('invalid-config', `${path} cannot be read: ${why}.`, { details: [{ path, expected: 'a readable file' }], cause: error })
  }
}

function invalidConfig (path: string | null, details: ErrorDetail[]): PrescaleError {
  const what = details.length === 1 ? 'one error' : `${details.length} errors`
  return new PrescaleError('invalid-config', `${path ?? 'The configuration'} has ${what}.`, { details })
}

/** What a command shows to the API that it asks; on the command line every user of the machine could read it. */
export function clientHeaders (environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const token = environment['PRESCALE_TOKEN']
  return token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` }
}

/** The environment variables of prescale; nothing else reads the environment. */
function readEnvironment (environment: NodeJS.ProcessEnv): { overrides: Overrides, details: ErrorDetail[] } {
  const details: ErrorDetail[] = []
  const read = <T>(name: string, parse: (text: string) => T | undefined, expected: string): T | undefined => {
    const text = environment[name]
    if (text === undefined || text === '') return undefined
    const value = parse(text)
    if (value === undefined) details.push({ path: name, value: text, expected })
    return value
  }
  const text = (value: string) => value
  const flag = (value: string) => ({ true: true, 1: true, false: false, 0: false } as Record<string, boolean>)[value.toLowerCase()]
  const port = (value: string) => /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? Number(value) : undefined
  const level = (value: string) => logLevels.find((known) => known === value)
  const overrides = defined({
    configPath: read('PRESCALE_CONFIG', text, 'a path'),
    dataDirectory: read('PRESCALE_DATA_DIR', text, 'a path'),
    host: read('PRESCALE_HOST', text, 'a host'),
    port: read('PRESCALE_PORT', port, 'a whole number from 0 to 65535'),
    redisUrl: read('REDIS_URL', (value) => /^(rediss?|unix):\/\//.test(value) ? value : undefined, 'an address such as redis://127.0.0.1:6379'),
    insecure: read('PRESCALE_INSECURE', flag, 'true or false'),
    logLevel: read('PRESCALE_LOG_LEVEL', level, `one of ${logLevels.join(', ')}`)
  })
  return { overrides, details }
}

function defined<T extends object> (value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Partial<T>
}

function buildConfig (file: ConfigFile, above: Overrides, path: string | null): Omit<Config, keyof AdapterConfig> {
  const { host, port } = withDefaults(sections.listen, file.listen)
  return {
    file: path,
    listen: { host: above.host ?? host, port: above.port ?? port },
    access: withDefaults(sections.access, file.access),
    tls: file.listen?.tls ?? null,
    monitoring: file.listen?.monitoring ? withDefaults(sections.monitoring, file.listen.monitoring) : null,
    insecure: above.insecure ?? file.insecure ?? false,
    logLevel: above.logLevel ?? file.logLevel as LogLevel | undefined ?? 'info',
    dataDirectory: above.dataDirectory ?? file.dataDirectory ?? 'var',
    modelsDirectory: file.modelsDirectory ?? null,
    redisUrl: above.redisUrl ?? file.redis?.url ?? null,
    partitions: file.partitions ?? 8,
    limits: withDefaults(sections.limits, file.limits),
    learning: withDefaults(sections.learning, file.learning),
    defaults: file.defaults ?? {},
    sources: {
      scrape: (file.sources?.scrape ?? []).map(toScrapeSource),
      prometheus: (file.sources?.prometheus ?? []).map((source) => withTimeout(withDefaults(sections.prometheus, source))),
      remoteWrite: withDefaults(sections.remoteWrite, file.sources?.remoteWrite),
      overHttp: withDefaults(sections.overHttp, file.sources?.overHttp)
    },
    services: new Map(Object.entries(file.services ?? {})),
    demoServices: new Set()
  }
}

export function toScrapeSource (source: NonNullable<NonNullable<ConfigFile['sources']>['scrape']>[number]): ScrapeSource {
  return withTimeout(withDefaults(sections.scrape, source))
}

function withTimeout<T extends { intervalSeconds: number, timeoutSeconds?: number }> (source: T): T & { timeoutSeconds: number } {
  return { ...source, timeoutSeconds: source.timeoutSeconds ?? Math.min(10, source.intervalSeconds) }
}

/** Rules between keys. What is broken in itself is not in `config` any more. */
function checkConfig (config: Config): ErrorDetail[] {
  const details = checkSettings(config.defaults, {}, 'defaults')
  const sound = details.length === 0
  for (const [name, settings] of sound ? config.services : []) details.push(...checkSettings(settings, config.defaults, `services.${name}`))
  for (const kind of ['scrape', 'prometheus'] as const) {
    for (const [i, { intervalSeconds, timeoutSeconds }] of config.sources[kind].entries()) {
      if (timeoutSeconds > intervalSeconds) details.push({ path: `sources.${kind}[${i}].timeoutSeconds`, value: timeoutSeconds, expected: `at most intervalSeconds, which is ${intervalSeconds}` })
    }
  }
  for (const [i, entry] of config.sources.overHttp.allow.entries()) {
    if (!isNetworkOrName(entry)) details.push({ path: `sources.overHttp.allow[${i}]`, value: entry, expected: 'a network such as 10.1.0.0/16, an address, or the end of a name' })
  }
  const { access: { tokensFile, clientCertificates = [] }, tls } = config
  if (clientCertificates.length > 0 && tls?.clientCaFile === undefined) {
    details.push({ path: 'listen.tls.clientCaFile', expected: 'the authority of those whom access.clientCertificates names' })
  }
  if (!config.insecure && !isLoopback(config.listen.host) && tokensFile === undefined && clientCertificates.length === 0) {
    details.push({
      path: 'listen.host',
      value: config.listen.host,
      expected: 'a loopback address such as 127.0.0.1, because anybody who reaches it may change settings; access.tokensFile says who may, and --insecure or `insecure: true` allows everybody'
    })
  }
  return [...details, ...checkAdapters(config, config)]
}

function isNetworkOrName (entry: string): boolean {
  try {
    return publicReach([entry]) !== null
  } catch {
    return false
  }
}

export interface ResolvedService {
  readonly service: string
  readonly policy: Policy
  readonly match: Readonly<Record<string, string>>
  readonly mappings: readonly SignalMapping[]
  readonly lateSeconds: number
  readonly limits: { readonly maxSeries: number }
  /** Services that this one needs, and what it has in common with others. */
  readonly dependsOn: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

/**
 * Everything that is set for one service. What a PUT stored takes the place of what the file says; `defaults` lie beneath both.
 *
 * @param stored what PUT /v1/services/{service} stored, or null.
 */
export function resolveService (service: string, stored: unknown, config: Config): ResolvedService {
  const inFile = config.services.get(service)
  // What was put takes the place of the file's entry. Only its mode stays unless another is given: nobody is cut off by leaving it out.
  const own = stored === null ? inFile : { ...(inFile?.mode && { mode: inFile.mode }), ...stored as ServiceSettings }
  const settings: ServiceSettings = { ...config.defaults, ...own }
  return {
    service,
    policy: toPolicy(settings, { demo: config.demoServices.has(service) }),
    match: settings.match ?? { [config.sources.remoteWrite.serviceLabel ?? 'job']: service },
    mappings: resolveSignals(settings.signals ?? config.sources.remoteWrite.signals ?? []),
    lateSeconds: settings.lateSeconds ?? 5,
    limits: { maxSeries: config.limits.seriesPerService },
    // What all depend on by default does not depend on itself.
    dependsOn: (settings.dependsOn ?? []).filter(name => name !== service),
    labels: settings.labels ?? {}
  }
}
