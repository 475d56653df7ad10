import type { Command } from 'commander'
import { PrescaleError } from '../errors.ts'
import type { ServiceSummary } from '../store/summary.ts'
import { say } from './terminal.ts'

export function addServices (program: Command): void {
  program.command('services')
    .description('Show what is watched, and what was decided and found last.')
    .option('--url <url>', 'address of a running prescale', 'http://127.0.0.1:8080')
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', `
Environment: PRESCALE_TOKEN, a token with the scope read, where tokens are asked for

Examples:
  prescale services
  prescale services --url http://prescale.example:8080 --json`)
    .action(services)
}

async function services ({ url, json }: { url: string, json?: boolean }): Promise<void> {
  const list = await fetchServices(url)
  if (json) return say(JSON.stringify(list, null, 2))
  if (list.length === 0) return say('Nothing is watched yet.')
  say(table([['SERVICE', 'REPLICAS', 'NOW', 'SOURCE', 'SCORE', 'SEVERITY', 'AGE'], ...list.map(row)]))
}

async function fetchServices (url: string): Promise<(Omit<ServiceSummary, 'asOf'> & { asOf: number | null })[]> {
  const { clientHeaders } = await import('../config.ts')
  const address = new URL('/v1/services', url)
  let response: Response
  try {
    response = await fetch(address, { headers: clientHeaders(), signal: AbortSignal.timeout(10_000) })
  } catch (error) {
    throw new PrescaleError('source-unreachable', `${address.href} does not answer; is prescale running there? --url names another address.`, { cause: error })
  }
  const body = await response.json() as { services: ServiceSummary[], title?: string, detail?: string }
  if (!response.ok) throw new PrescaleError('source-unreachable', `${address.href} answers ${response.status}: ${body.detail ?? body.title ?? ''}`)
  return body.services
}

function row ({ service, asOf, decision, verdict, demo }: Omit<ServiceSummary, 'asOf'> & { asOf: number | null }): string[] {
  const age = asOf === null ? '-' : `${Math.max(0, Math.round((Date.now() - asOf) / 1000))} s`
  return [
    demo ? `${service} (demo)` : service,
    decision === null ? '-' : String(decision.replicas),
    decision === null ? '-' : String(decision.currentReplicas),
    decision === null ? '-' : decision.validUntil > Date.now() ? decision.source : 'out of date',
    verdict === null ? '-' : verdict.score.toFixed(2),
    verdict === null ? '-' : verdict.severity,
    age
  ]
}

export function table (rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()).join('\n')
}
