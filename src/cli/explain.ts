import { InvalidArgumentError, type Command } from 'commander'
import type { Decision } from '../domain.ts'
import { say } from './terminal.ts'

interface ExplainFlags {
  readonly url: string
  readonly at?: number
  readonly json?: boolean
}

export function addExplain (program: Command): void {
  program.command('explain')
    .description('Say in plain words why a service was to have so many replicas.')
    .argument('<service>', 'its name')
    .option('--at <time>', 'a past decision: a time such as 2026-11-20T12:00:00Z, or how long ago such as 90s, 15m, 2h (default: the latest)', readTime)
    .option('--url <url>', 'address of a running prescale', 'http://127.0.0.1:8080')
    .option('--json', 'the decision and its story as JSON, for programs')
    .addHelpText('after', `
Environment: PRESCALE_TOKEN, a token with the scope read, where tokens are asked for

Examples:
  prescale explain demo-shop
  prescale explain demo-shop --at 5m
  prescale explain shop --at 2026-11-20T12:00:00Z --json`)
    .action(explain)
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** Epoch ms. */
function readTime (text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  const at = unit === undefined ? Date.parse(text) : Date.now() - 1000 * Number(count) * unitSeconds[unit]
  if (Number.isFinite(at) && at >= 0) return Math.floor(at)
  throw new InvalidArgumentError('Expected a time such as 2026-11-20T12:00:00Z, or how long ago such as 90s, 15m, 2h or 1d.')
}

async function explain (service: string, { url, at, json }: ExplainFlags): Promise<void> {
  const { ask } = await import('./ask.ts')
  const path = `/v1/services/${encodeURIComponent(service)}/explanation${at === undefined ? '' : `?at=${at}`}`
  const { decision, story } = await ask<{ decision: Decision, story: string[] }>(url, path)
  say(json ? JSON.stringify({ decision, story }, null, 2) : story.join('\n'))
}
