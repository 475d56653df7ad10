import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig, resolveService, type Config, type Overrides } from '../src/config.ts'
import { PrescaleError, type ErrorDetail } from '../src/errors.ts'
import { formatDetails } from '../src/cli/details.ts'

const directory = mkdtempSync(join(tmpdir(), 'prescale-config-'))
afterAll(() => { rmSync(directory, { recursive: true }) })

let files = 0
function load (yaml: string, { flags = {}, environment = {} }: { flags?: Overrides, environment?: Record<string, string> } = {}): Config {
  const configPath = join(directory, `${files++}.yaml`)
  writeFileSync(configPath, yaml)
  return loadConfig({ configPath, ...flags }, environment)
}

function errorOf (run: () => unknown): PrescaleError {
  try {
    run()
  } catch (error) {
    if (error instanceof PrescaleError) return error
    throw error
  }
  throw new Error('expected an error')
}

function errorsOf (yaml: string): readonly ErrorDetail[] {
  const error = errorOf(() => load(yaml))
  expect(error.code).toBe('invalid-config')
  return error.details.map(({ path, value, expected }) => ({ path, ...(value !== undefined && { value }), expected }))
}

describe('the configuration', () => {
  it('has defaults for everything', () => {
    const config = load('')
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(config.partitions).toBe(8)
    expect(config.limits.bodyBytes).toBe(8 * 1024 * 1024)
    expect(config.limits.decodedBytes).toBe(32 * 1024 * 1024)
    expect(config.learning).toEqual({ enabled: true, rows: 4000, minimumSteps: 1440, everySeconds: 3600, megabytes: 256, memoryMegabytes: 256 })
    expect(config.sources).toEqual({ scrape: [], prometheus: [], remoteWrite: { enabled: true }, overHttp: { enabled: false, allow: [] } })
  })

  it('takes sections and services with nothing in them as "nothing special"', () => {
    const config = load('listen:\nsources:\n  scrape:\nservices:\n  shop:\n')
    expect(config.listen.port).toBe(8080)
    expect([...config.services]).toEqual([['shop', {}]])
  })

  it('puts the environment above the file and the command line above both', () => {
    const yaml = 'listen: { host: localhost, port: 1000 }\ndataDirectory: file\nredis: { url: "redis://file" }'
    const environment = { PRESCALE_PORT: '2000', PRESCALE_DATA_DIR: 'environment', REDIS_URL: 'rediss://environment' }
    const config = load(yaml, { flags: { port: 3000 }, environment })
    expect(config).toMatchObject({ listen: { host: 'localhost', port: 3000 }, dataDirectory: 'environment', redisUrl: 'rediss://environment' })
  })

  it('reads the path of the file from PRESCALE_CONFIG, and says so when there is none', () => {
    const error = errorOf(() => loadConfig({}, { PRESCALE_CONFIG: join(directory, 'missing.yaml') }))
    expect(error.message).toMatch(/missing\.yaml cannot be read: there is no such file/)
  })

  it('names environment variables that make no sense, all of them at once', () => {
    const error = errorOf(() => load('', { environment: { PRESCALE_PORT: '99999', PRESCALE_INSECURE: 'perhaps', PRESCALE_LOG_LEVEL: 'loud', REDIS_URL: 'localhost' } }))
    expect(error.details.map(({ path }) => path)).toEqual(['PRESCALE_PORT', 'REDIS_URL', 'PRESCALE_INSECURE', 'PRESCALE_LOG_LEVEL'])
  })

  it('lists every error at once, with place, value and what was expected', () => {
    const yaml = `
listen: { port: eighty }
limts: { services: 3 }
services:
  shop:
    signals: htp
    minReplicas: 50
    maxReplica: 40
    target: { requestsPerSecond: 0 }
  "-bad": {}
`
    expect(errorsOf(yaml)).toEqual([
      { path: 'limts', value: { services: 3 }, expected: expect.stringMatching(/^did you mean "limits"\? one of the keys listen, /) },
      { path: 'listen.port', value: 'eighty', expected: 'a whole number from 0 to 65535' },
      { path: 'services.-bad', value: {}, expected: 'services by name: letters, digits, ".", "_" and "-", at most 128 characters' },
      { path: 'services.shop.maxReplica', value: 40, expected: expect.stringMatching(/^did you mean "maxReplicas"\?/) },
      { path: 'services.shop.signals', value: 'htp', expected: expect.stringContaining('node-exporter') },
      { path: 'services.shop.target.requestsPerSecond', value: 0, expected: 'a number above 0' }
    ])
  })

  it('checks the rules between keys also where another part of the file is broken', () => {
    const yaml = `
partitions: 0
services:
  shop: { minReplicas: 50, maxReplicas: 40, holdSeconds: long }
  cart: { target: { cpuUsageRatio: 70 } }
  mail: { target: { responseTimeSeconds: 1 } }
  both: { target: { requestsPerSecond: 10, queueLength: 5 } }
`
    expect(errorsOf(yaml)).toEqual([
      { path: 'partitions', value: 0, expected: 'a whole number from 1 to 256' },
      { path: 'services.shop.holdSeconds', value: 'long', expected: expect.stringContaining('number') },
      { path: 'services.shop.minReplicas', value: 50, expected: 'at most maxReplicas, which is 40' },
      { path: 'services.cart.target.cpuUsageRatio', value: 70, expected: 'a ratio above 0 and at most 1' },
      { path: 'services.mail.target.responseTimeSeconds', value: 1, expected: 'a signal that grows with the work, such as requestsPerSecond or cpuUsageRatio' },
      { path: 'services.both.target', value: { requestsPerSecond: 10, queueLength: 5 }, expected: 'one signal, not 2: requestsPerSecond, queueLength' }
    ])
  })

  it('keeps the mode of the file where settings that were put do not say another', () => {
    const config = load('services: { shop: { mode: act, minReplicas: 3 } }')
    expect(resolveService('shop', { maxReplicas: 9 }, config).policy).toMatchObject({ mode: 'act', minReplicas: 1, maxReplicas: 9 })
    expect(resolveService('shop', { mode: 'advise' }, config).policy.mode).toBe('advise')
    expect(resolveService('cart', { maxReplicas: 9 }, config).policy.mode).toBe('shadow')
  })

  it('speaks only of the branch that was meant where several shapes are allowed', () => {
    const yaml = 'services: { shop: { signals: [http, { signal: queueLength, metrc: jobs, kind: gauge }] } }'
    expect(errorsOf(yaml)).toEqual([
      { path: 'services.shop.signals[1].metric', expected: expect.stringContaining('the name of a metric') },
      { path: 'services.shop.signals[1].metrc', value: 'jobs', expected: expect.stringMatching(/^did you mean "metric"\?/) }
    ])
  })

  it('names a regular expression that cannot be used', () => {
    const [error] = errorsOf('services: { shop: { match: { job: "/(a+)+/" } } }')
    expect(error.path).toBe('services.shop.match.job')
    expect(error.expected).toContain('a group is repeated')
  })

  it('gives line and column of text that is not YAML', () => {
    const error = errorOf(() => load('listen:\n  port: 1\n host: x\n'))
    expect(error.message).toMatch(/\.yaml:3:1: this is not YAML: /)
  })

  it('shows the line of each error on a terminal', () => {
    const file = join(directory, 'lines.yaml')
    writeFileSync(file, 'services:\n  my.shop:\n    minReplicas: x\n')
    const error = errorOf(() => loadConfig({ configPath: file }, {}))
    expect(formatDetails(error.details)).toEqual([`${file}:3:5 services.my.shop.minReplicas is "x", expected a whole number from 0 to 100000`])
  })

  it('shows it for what contradicts itself, too', () => {
    const file = join(directory, 'contradiction.yaml')
    writeFileSync(file, 'services:\n  shop:\n    mode: act\n    minReplicas: 5\n    maxReplicas: 2\n')
    const error = errorOf(() => loadConfig({ configPath: file }, {}))
    expect(formatDetails(error.details)).toEqual([`${file}:4:5 services.shop.minReplicas is 5, expected at most maxReplicas, which is 2`])
  })

  it('refuses a file that is no map, and an alias within what it names, in one sentence', () => {
    expect(errorOf(() => load('- shop\n')).message).toMatch(/yaml holds a list; keys such as services and sources are expected\.$/)
    expect(errorOf(() => load('shop\n')).message).toMatch(/yaml holds "shop"; keys such as/)
    expect(errorOf(() => load('services: &all { shop: { labels: *all } }\n')).message).toMatch(/yaml: Converting circular structure/)
  })

  it('says a number that is none by its name', () => {
    expect(errorsOf('limits: { services: 1e999 }')).toEqual([{ path: 'limits.services', value: 'Infinity', expected: 'a whole number of at least 1' }])
  })

  it('keeps names that mean something to JavaScript out', () => {
    expect(errorsOf('services: { __proto__: {} }')[0]).toMatchObject({ path: 'services.__proto__' })
    expect(errorsOf('__proto__: {}')[0]).toMatchObject({ path: '__proto__' })
  })

  it('refuses an address that others reach, unless it is allowed', () => {
    expect(errorsOf('listen: { host: 0.0.0.0 }')[0]).toMatchObject({ path: 'listen.host', value: '0.0.0.0' })
    expect(load('listen: { host: 0.0.0.0 }\ninsecure: true').listen.host).toBe('0.0.0.0')
    expect(load('listen: { host: 0.0.0.0 }', { flags: { insecure: true } }).insecure).toBe(true)
    expect(load('listen: { host: "::1" }').listen.host).toBe('::1')
  })

  it('refuses a scrape that may take longer than its interval', () => {
    expect(errorsOf('sources: { scrape: [{ url: "http://x", intervalSeconds: 5, timeoutSeconds: 6 }] }')).toEqual([
      { path: 'sources.scrape[0].timeoutSeconds', value: 6, expected: 'at most intervalSeconds, which is 5' }
    ])
  })
})

describe('what is resolved for a service', () => {
  it('comes from the service, then from defaults, then from us', () => {
    const config = load('defaults: { minReplicas: 2, maxReplicas: 9 }\nservices: { shop: { maxReplicas: 40, target: { requestsPerSecond: 100 } } }')
    const { policy } = resolveService('shop', null, config)
    expect(policy).toMatchObject({
      minReplicas: 2,
      maxReplicas: 40,
      target: { kind: 'perReplica', signal: 'requestsPerSecond', atTarget: 100, utilization: 0.7 },
      startUpSeconds: 'auto',
      stepSeconds: 60,
      // three steps of 60 s
      decisionTtlSeconds: 180
    })
  })

  it('takes settings that were put over HTTP instead of the file\'s', () => {
    const config = load('defaults: { minReplicas: 2 }\nservices: { shop: { maxReplicas: 40, stepSeconds: 10 } }')
    const { policy } = resolveService('shop', { maxReplicas: 7 }, config)
    expect(policy).toMatchObject({ minReplicas: 2, maxReplicas: 7, stepSeconds: 60 })
  })

  it('tells ratios from loads, and auto from both', () => {
    const config = load('services: { a: { target: { cpuUsageRatio: 0.6 } }, b: { target: auto }, c: { target: { utilization: 0.5 } } }')
    const target = (service: string) => resolveService(service, null, config).policy.target
    expect(target('a')).toEqual({ kind: 'ratio', signal: 'cpuUsageRatio', atTarget: 0.6 })
    expect(target('b')).toEqual({ kind: 'auto', utilization: 0.7 })
    expect(target('c')).toEqual({ kind: 'auto', utilization: 0.5 })
  })

  it('says what of a signal anybody cares about, and when incidents end', () => {
    const config = load(`services:
  a: { dependsOn: [b], labels: { node: n1 }, anomalies: { closeAfterSeconds: 60, signals: { cpuUsageRatio: { direction: up, minimumDeviation: 0.1 }, queueLength: { minimumDeviation: 20%, limit: 500 } } } }
  b: {}`)
    const { policy, dependsOn, labels } = resolveService('a', null, config)
    expect(policy.anomalies).toEqual({
      closeAfterSeconds: 60,
      reopenWithinSeconds: 3600,
      adoptLevelAfterSeconds: 172_800,
      adoptAlarmAfterSeconds: 43_200,
      signals: {
        cpuUsageRatio: { direction: 'up', minimumDeviation: { absolute: 0.1 }, limit: null },
        queueLength: { direction: 'both', minimumDeviation: { relative: 0.2 }, limit: 500 }
      }
    })
    expect({ dependsOn, labels }).toEqual({ dependsOn: ['b'], labels: { node: 'n1' } })
    expect(resolveService('b', null, config)).toMatchObject({ policy: { anomalies: { signals: {}, closeAfterSeconds: 300 } }, dependsOn: [], labels: {} })
  })

  it('lets no service depend on itself, where all depend on it', () => {
    const config = load('defaults: { dependsOn: [database] }\nservices:\n  shop: {}\n  database: {}\n')
    expect(resolveService('shop', null, config).dependsOn).toEqual(['database'])
    expect(resolveService('database', null, config).dependsOn).toEqual([])
  })

  it.each([
    ['{ signals: { cpuUsageRatio: { direction: sideways } } }', 'anomalies.signals.cpuUsageRatio.direction'],
    ['{ signals: { cpuUsageRatio: { minimumDeviation: much } } }', 'anomalies.signals.cpuUsageRatio.minimumDeviation'],
    ['{ signals: { "CPU": {} } }', 'anomalies.signals.CPU'],
    ['{ closeAfterSeconds: -1 }', 'anomalies.closeAfterSeconds']
  ])('refuses anomalies: %s at %s', (anomalies, path) => {
    expect(errorsOf(`services: { a: { anomalies: ${anomalies} } }`)).toMatchObject([{ path: `services.a.${path}` }])
  })

  it('fills in around a given behavior what Kubernetes would', () => {
    const config = load('services: { a: { behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } } }')
    const { behavior } = resolveService('a', null, config).policy
    expect(behavior.scaleDown).toEqual({
      stabilizationWindowSeconds: 60, selectPolicy: 'Max', tolerance: 0.1, policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }]
    })
    expect(behavior.scaleUp.policies).toHaveLength(2)
  })

  it('turns overrides into what the core knows', () => {
    const config = load('services: { a: { override: { pause: true, until: 2026-12-24T08:00:00Z } }, b: { override: { force: 5, reason: sale } } }')
    expect(resolveService('a', null, config).policy.override).toEqual({ kind: 'pause', reason: 'set by an operator', until: Date.UTC(2026, 11, 24, 8) })
    expect(resolveService('b', null, config).policy.override).toEqual({ kind: 'force', replicas: 5, reason: 'sale' })
    expect(resolveService('b', { overrides: [{ hold: true }, { force: 7 }] }, config).policy.overrides).toMatchObject([{ kind: 'hold' }, { kind: 'force', replicas: 7 }])
  })

  it('turns guards, schedules, budgets and drivers into what the core knows', () => {
    const config = load(`services:
  a:
    minReplicas: 0
    activationLoad: 2
    outageHold: { ttlSeconds: 600 }
    spikeCap: { steps: 5 }
    budget: { instanceHoursPerDay: 240, timeZone: Europe/Berlin }
    drivers: { memoryUsageRatio: 0.8, queueLength: { perReplica: 30 } }
    override: { outage: true, reason: login is down }
    schedules:
      - { cron: '0 8 * * 1-5', until: '0 18 * * 1-5', timeZone: Europe/Berlin, minReplicas: 10, reason: office }
      - { cron: '0 0 * * *', durationSeconds: 3600, maxReplicas: 4, reason: backup }
      - { at: 2026-11-27T08:00:00Z, until: 2026-11-27T20:00:00Z, factor: 3, reason: sale }`)
    expect(resolveService('a', null, config).policy).toMatchObject({
      minReplicas: 0,
      idle: { activationLoad: 2, idleSeconds: 300 },
      outageHold: { ttlSeconds: 600 },
      spikeCap: { factor: 1.5, steps: 5 },
      budget: { instanceHoursPerDay: 240, timeZone: 'Europe/Berlin' },
      drivers: [{ kind: 'ratio', signal: 'memoryUsageRatio', atTarget: 0.8 }, { kind: 'perReplica', signal: 'queueLength', atTarget: 30 }],
      override: { kind: 'outage', reason: 'login is down' },
      schedules: [
        { times: { kind: 'cron', cron: '0 8 * * 1-5', timeZone: 'Europe/Berlin', lasts: '0 18 * * 1-5' }, minReplicas: 10, reason: 'office' },
        { times: { kind: 'cron', cron: '0 0 * * *', timeZone: 'UTC', lasts: 3600 }, maxReplicas: 4, reason: 'backup' },
        { times: { kind: 'once', at: Date.UTC(2026, 10, 27, 8), until: Date.UTC(2026, 10, 27, 20) }, factor: 3, reason: 'sale' }
      ]
    })
  })

  it.each([
    ['schedules: [{ cron: "61 8 * * *", durationSeconds: 60, minReplicas: 2, reason: a }]', 'schedules[0].cron'],
    ['schedules: [{ cron: "0 8 31 2 *", durationSeconds: 60, minReplicas: 2, reason: a }]', 'schedules[0].cron'],
    ['schedules: [{ cron: "0 8 * * *", durationSeconds: 60, timeZone: Mars/North, minReplicas: 2, reason: a }]', 'schedules[0].timeZone'],
    ['schedules: [{ cron: "0 8 * * *", durationSeconds: 60, reason: a }]', 'schedules[0]'],
    ['schedules: [{ cron: "0 8 * * *", minReplicas: 2, reason: a }]', 'schedules[0]'],
    ['schedules: [{ durationSeconds: 60, minReplicas: 2, reason: a }]', 'schedules[0]'],
    ['schedules: [{ cron: "0 8 * * *", durationSeconds: 60, factor: 0.5, reason: a }]', 'schedules[0].factor'],
    ['schedules: [{ at: 2026-11-27T08:00:00Z, until: 2026-11-27T07:00:00Z, minReplicas: 2, reason: a }]', 'schedules[0].until'],
    ['budget: { instanceHoursPerDay: 10, timeZone: Berlin }', 'budget.timeZone'],
    ['drivers: { memoryUsageRatio: { perReplica: 3 } }', 'drivers.memoryUsageRatio'],
    ['drivers: { queueLength: 0.5 }', 'drivers.queueLength'],
    ['{ minReplicas: 0, target: { cpuUsageRatio: 0.7 } }', 'minReplicas']
  ])('refuses %s at %s', (settings, path) => {
    const body = settings.startsWith('{') ? settings : `{ ${settings} }`
    expect(errorsOf(`services: { a: ${body} }`)).toMatchObject([{ path: `services.a.${path}` }])
  })

  it('matches series by job unless told otherwise, or by the label that names services', () => {
    expect(resolveService('shop', null, load('')).match).toEqual({ job: 'shop' })
    expect(resolveService('shop', null, load('sources: { remoteWrite: { serviceLabel: app, signals: http } }')).match).toEqual({ app: 'shop' })
    expect(resolveService('shop', null, load('services: { shop: { match: { pod: "/shop-.+/" } } }')).match).toEqual({ pod: '/shop-.+/' })
  })

  it('knows what a service that was discovered reads', () => {
    const config = load('sources: { remoteWrite: { serviceLabel: app, signals: http } }')
    expect(resolveService('anything', null, config).mappings.map(({ signal }) => signal)).toContain('requestsPerSecond')
  })
})
