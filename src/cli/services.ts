import { styleText } from 'node:util'
import type { Command } from 'commander'
import type { ServiceSummary } from '../store/summary.ts'
import { table } from './table.ts'
import { number, say } from './terminal.ts'
import { again } from './watch.ts'

interface ServicesFlags {
  readonly url: string
  readonly json?: boolean
  readonly watch?: boolean
  readonly intervalSeconds: number
}

export function addServices (program: Command): void {
  program.command('services')
    .description('Show what is watched, and what was decided and found last.')
    .option('--url <url>', 'address of a running prescale', 'http://127.0.0.1:8080')
    .option('--watch', 'again and again, until Ctrl-C; with --json one line each time')
    .option('--interval-seconds <seconds>', 'how often --watch asks', number({ least: 0.2, most: 3600 }), 2)
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', `
Environment: PRESCALE_TOKEN, a token with the scope read, where tokens are asked for

Examples:
  prescale services
  prescale services --watch
  prescale services --url http://prescale.example:8080 --json`)
    .action(services)
}

async function services ({ watch, intervalSeconds, ...flags }: ServicesFlags): Promise<void> {
  if (!watch) return say(await once(flags))
  await again(() => once({ ...flags, watch }), intervalSeconds)
}

async function once ({ url, json, watch }: Omit<ServicesFlags, 'intervalSeconds'>): Promise<string> {
  const { ask } = await import('./ask.ts')
  const { services: list } = await ask<{ services: Shown[] }>(url, '/v1/services')
  if (json) return JSON.stringify(list, null, watch ? undefined : 2)
  if (list.length === 0) return 'Nothing is watched yet.'
  const shown = watch && process.stdout.isTTY ? list.slice(0, Math.max(1, process.stdout.rows - 4)) : list
  const [header, ...lines] = table([['SERVICE', 'REPLICAS', 'NOW', 'SOURCE', 'SCORE', 'SEVERITY', 'SAVED', 'AGE'], ...shown.map(row)]).split('\n')
  const more = shown.length < list.length ? [`and ${list.length - shown.length} more`] : []
  return [coloured('bold', header), ...lines.map((line, i) => coloured(colourOf(shown[i]), line)), ...more].join('\n')
}

type Colour = 'bold' | 'red' | 'yellow' | 'dim' | null

/** NO_COLOR and terminals without colours are known to Node. */
function coloured (colour: Colour, line: string): string {
  return colour !== null && process.stdout.isTTY && process.stdout.hasColors() ? styleText(colour, line) : line
}

function colourOf ({ decision, verdict }: Shown): Colour {
  if (verdict?.isAnomaly) return 'red'
  if (decision === null) return 'dim'
  return decision.validUntil > Date.now() ? null : 'yellow'
}

type Shown = Omit<ServiceSummary, 'asOf'> & { readonly asOf: number | null }

function row ({ service, asOf, decision, verdict, saved, demo }: Shown): string[] {
  // 0 is a service that was heard of, and of which nothing was said yet.
  const age = asOf === null || asOf === 0 ? '-' : `${Math.max(0, Math.round((Date.now() - asOf) / 1000))} s`
  return [
    demo ? `${service} (demo)` : service,
    decision === null ? '-' : String(decision.replicas),
    decision === null ? '-' : String(decision.currentReplicas),
    decision === null ? '-' : decision.validUntil > Date.now() ? sourceText(decision) : 'out of date',
    verdict === null ? '-' : verdict.score.toFixed(2),
    verdict === null ? '-' : verdict.severity,
    saved === undefined ? '-' : savedText(saved),
    age
  ]
}

/** Whoever reads the table must not take a decision for one that is obeyed. */
function sourceText ({ source, mode }: NonNullable<Shown['decision']>): string {
  return mode === 'act' ? source : `${source} (${mode})`
}

/** Against HPA: instance-hours that it would have paid for more, and minutes that it would have violated more. */
function savedText ({ instanceHours, violationMinutes }: NonNullable<Shown['saved']>): string {
  const signed = (value: number) => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(1)}`
  return `${signed(instanceHours)} h, ${signed(violationMinutes)} min`
}
