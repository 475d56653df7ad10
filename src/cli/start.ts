import { Option, type Command } from 'commander'
import type { Overrides } from '../config.ts'
import type { DemoTrace } from '../demo.ts'
import type { Role, Runtime } from '../runtime.ts'
import { packageRoot, packageVersion } from './package-root.ts'
import { number, say } from './terminal.ts'

interface StartOptions {
  readonly role: Role
  readonly config?: string
  readonly host?: string
  readonly port?: number
  readonly demo: boolean
  readonly insecure?: boolean
  readonly kubernetes?: boolean
  readonly dataDir?: string
}

export function addStart (program: Command): void {
  program.command('start')
    .description('Start the API and the worker. Without prescale.yaml it watches itself and plays a demonstration.')
    .addOption(new Option('--role <role>', 'what this process does').choices(['api', 'worker', 'all']).default('all'))
    .option('--config <file>', 'configuration (default: prescale.yaml, if there is one)')
    .option('--host <host>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <port>', 'port to listen on; 0 for any (default: 8080)', number({ least: 0, most: 65_535, whole: true }))
    .option('--data-dir <folder>', 'where the Redis that we start keeps its data (default: var)')
    .option('--no-demo', 'without the demonstration')
    .option('--insecure', 'allow an address that others can reach, although nobody has to show a token')
    .option('--kubernetes', 'serve the external and custom metrics APIs of Kubernetes as well (default: 127.0.0.1:8443)')
    .addHelpText('after', `
Environment: PRESCALE_CONFIG, PRESCALE_HOST, PRESCALE_PORT, PRESCALE_DATA_DIR, PRESCALE_INSECURE, PRESCALE_LOG_LEVEL, REDIS_URL
SIGHUP reads the configuration again; a bad one is refused, and the old one stays.

Examples:
  prescale start
  prescale start --no-demo --port 9000
  REDIS_URL=redis://redis:6379 prescale start --role worker --config prescale.yaml`)
    .action(start)
}

async function start ({ role, config: configPath, host, port, demo, insecure, kubernetes, dataDir }: StartOptions): Promise<void> {
  const flags: Overrides = { configPath, host, port, insecure, kubernetes, dataDirectory: dataDir }
  const [{ default: closeWithGrace }, { loadConfig }, { withBuiltInServices }, { startRuntime }] = await Promise.all([
    import('close-with-grace'), import('../config.ts'), import('../config-builtin.ts'), import('../runtime.ts')
  ])
  const starting = startRuntime({
    role,
    load: () => withBuiltInServices(loadConfig(flags), { demo }),
    modelsDirectory: `${packageRoot()}/models`,
    pageDirectory: `${packageRoot()}/dist/src/api/dashboard`,
    readDemoTrace: () => readTrace(`${packageRoot()}/data/demo-shop.csv`)
  })
  // From the first moment on: whoever ends us while we start must not leave a Redis server behind that nobody uses.
  const grace = closeWithGrace({ delay: 5_000, skip: ['SIGHUP'], logger: console }, async ({ err, signal }) => {
    const { log, close } = await starting
    if (err) log.fatal({ err }, 'unexpected; closing')
    else log.info({ signal }, 'closing')
    await close()
  })
  const runtime = await starting.catch((error: unknown) => {
    grace.uninstall()
    throw error
  })
  const { log } = runtime
  process.on('SIGHUP', () => {
    runtime.reload().catch((error: unknown) => { log.error({ err: error }, 'the configuration was not changed: the file is not valid') })
  })
  for (const line of greeting(runtime, role)) say(line)
}

/** What somebody who starts it for the first time wants to know. */
function greeting ({ address, config, redis }: Runtime, role: Role): string[] {
  const { demoServices, services, file } = config()
  const lines = ['', `prescale ${packageVersion()} is running (${role === 'all' ? 'API and worker' : role}). Ctrl-C stops it.`, '']
  if (address !== null) lines.push(`  Page      ${address}/`, `  API       ${address}`, `  Docs      ${address}/docs`)
  lines.push(`  Settings  ${file ?? 'none; prescale.yaml in this folder would be read'}`)
  lines.push(`  Redis     ${redis.description}${redis.durable ? '' : ' (nothing is kept!)'}`)
  const watched = [...services.keys()].map((service) => demoServices.has(service) ? `${service} (DEMO: a sample trace, one minute a second)` : service)
  lines.push(`  Watching  ${watched.slice(0, 8).join(', ') || 'whatever is sent'}${watched.length > 8 ? ` and ${watched.length - 8} more` : ''}`)
  const example = demoServices.values().next().value ?? services.keys().next().value
  if (address !== null && example !== undefined) lines.push('', '  Try       ' + `curl ${address}/v1/services/${example}/decision`)
  return [...lines, '']
}

async function readTrace (path: string): Promise<DemoTrace> {
  const { readCsv, readNumber } = await import('../../training/csv.ts')
  const minutes: Record<string, number>[] = []
  for await (const { header, rows, lines } of readCsv(path)) {
    for (const [i, row] of rows.entries()) {
      const cells = header.map((column, j) => [column, readNumber(row[j], { path, line: lines[i], column })] as const)
      minutes.push(Object.fromEntries(cells.filter(([column, value]) => column !== 'at' && Number.isFinite(value))))
    }
  }
  return minutes
}
