import { Argument, Option, type Command } from 'commander'
import { serviceOfIncident, type Incident } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { table } from './table.ts'
import { number, say } from './terminal.ts'
import { again } from './watch.ts'

interface IncidentsFlags {
  readonly url: string
  readonly state?: string
  readonly limit: number
  readonly json?: boolean
  readonly watch?: boolean
  readonly intervalSeconds: number
}

const address = ['--url <url>', 'address of a running prescale', 'http://127.0.0.1:8080'] as const

export function addIncidents (program: Command): void {
  const incidents = program.command('incidents')
    .description('Show what did not behave as usual, newest first.')
    .argument('[service]', 'only of this one')
    .option(...address)
    .addOption(new Option('--state <state>', 'only those that are').choices(['open', 'closed']))
    .option('--limit <count>', 'at most so many', number({ least: 1, most: 1000, whole: true }), 20)
    .option('--watch', 'again and again, until Ctrl-C; with --json one line each time')
    .option('--interval-seconds <seconds>', 'how often --watch asks', number({ least: 0.2, most: 3600 }), 2)
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', `
Environment: PRESCALE_TOKEN, a token with the scope read (operate for feedback), where tokens are asked for

Examples:
  prescale incidents
  prescale incidents shop --state open --watch
  prescale incidents feedback shop.1763640000000 normal --note 'the monthly import'`)
    .action(list)

  incidents.command('feedback')
    .description('Say what an incident was: normal, so that the same does not alarm again, or real; "nothing" takes it back.')
    .argument('<id>', 'its id, as the list shows it')
    .addArgument(new Argument('<verdict>', 'what it was').choices(['normal', 'real', 'nothing']))
    .option('--note <text>', 'why, for those who read it later')
    .option(...address)
    .action((id: string, verdict: string, _: unknown, command: Command) => feedback(id, verdict, command.optsWithGlobals()))
}

async function list (service: string | undefined, { watch, intervalSeconds, ...flags }: IncidentsFlags): Promise<void> {
  if (!watch) return say(await once(service, flags))
  await again(() => once(service, { ...flags, watch }), intervalSeconds)
}

async function once (service: string | undefined, { url, state, limit, json, watch }: Omit<IncidentsFlags, 'intervalSeconds'>): Promise<string> {
  const { ask } = await import('./ask.ts')
  const path = service === undefined ? '/v1/incidents' : `/v1/services/${encodeURIComponent(service)}/incidents`
  const { incidents } = await ask<{ incidents: Incident[] }>(url, `${path}?limit=${limit}${state === undefined ? '' : `&state=${state}`}`)
  if (json) return JSON.stringify(incidents, null, watch ? undefined : 2)
  if (incidents.length === 0) return 'There are no incidents.'
  return table([['ID', 'STATE', 'SEVERITY', 'BEGAN', 'LASTED', 'FEEDBACK', 'CAUSES'], ...incidents.map(row)])
}

function row ({ id, state, severity, startedAt, lastAnomalyAt, reopened, causes, feedback }: Incident): string[] {
  const words = causes.slice(0, 2).map(({ text }) => text).join('; ')
  const lasted = `${Math.round((lastAnomalyAt - startedAt) / 60_000)} min${reopened > 0 ? `, ${reopened}x back` : ''}`
  return [id, state, severity, new Date(startedAt).toISOString().slice(0, 16), lasted, feedback?.verdict ?? '-', words === '' ? '-' : words]
}

async function feedback (id: string, verdict: string, { url, note }: { url: string, note?: string }): Promise<void> {
  const { ask } = await import('./ask.ts')
  const service = serviceOfIncident(id)
  if (service === '') throw new PrescaleError('invalid-request', `The id is ${JSON.stringify(id)}, expected one that \`prescale incidents\` lists, such as shop.1763640000000.`)
  const path = `/v1/services/${encodeURIComponent(service)}/incidents/${encodeURIComponent(id)}/feedback`
  const sent = verdict === 'nothing' ? { method: 'DELETE' as const } : { method: 'POST' as const, body: { verdict, ...(note !== undefined && { note }) } }
  await ask(url, path, sent)
  say(verdict === 'nothing' ? `What was said about ${id} is taken back.` : `${id} was ${verdict}; samples are judged by that from now on.`)
}
