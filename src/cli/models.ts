import type { Command } from 'commander'
import type { ModelLife } from '../domain.ts'
import { table } from './table.ts'
import { say } from './terminal.ts'

interface ModelsFlags { readonly url: string, readonly json?: boolean }
interface Compared { readonly forecasts: number, readonly rival: string, readonly loss: number, readonly rivalLoss: number }
interface Models {
  readonly active: Readonly<Record<string, string | null>>
  readonly models: readonly { readonly name: string, readonly version: string, readonly rows: number }[]
  readonly learned: readonly {
    readonly service: string
    readonly models: readonly { readonly version: string, readonly life: ModelLife, readonly rows: number, readonly heldBack: Compared, readonly live: Compared | null }[]
  }[]
}

export function addModels (program: Command): void {
  program.command('models')
    .description('Show the models in use, and those that were learned from single services: shadow, canary or active.')
    .option('--url <url>', 'address of a running prescale', 'http://127.0.0.1:8080')
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', `
A model of a service is compared with the model in use in shadow, decides as a canary, and is then active; see learning in prescale.yaml.

Environment: PRESCALE_TOKEN, a token with the scope read, where tokens are asked for

Examples:
  prescale models
  prescale models --json`)
    .action(models)
}

async function models ({ url, json }: ModelsFlags): Promise<void> {
  const { ask } = await import('./ask.ts')
  const answer = await ask<Models>(url, '/v1/models')
  say(json ? JSON.stringify(answer, null, 2) : asTable(answer))
}

function asTable ({ active, models: shipped, learned }: Models): string {
  const shared = shipped.map(({ name, version, rows }) =>
    ['all', `${name} ${version}`, active[name] === `${name} ${version}` ? 'active' : 'not in use', String(rows), '-', '-'])
  const own = learned.flatMap(({ service, models: list }) => list.map(({ version, life, rows, heldBack, live }) =>
    [service, version, life, String(rows), comparison(heldBack), live === null ? '-' : comparison(live)]))
  return table([['SERVICE', 'MODEL', 'LIFE', 'ROWS', 'BEFORE', 'LIVE'], ...shared, ...own])
}

/** "-12 % loss against forecast 1 (200)": less is better. */
function comparison ({ forecasts, rival, loss, rivalLoss }: Compared): string {
  if (forecasts === 0 || rivalLoss === 0) return 'not compared yet'
  const percent = Math.round(100 * (loss / rivalLoss - 1))
  return `${percent > 0 ? '+' : ''}${percent} % loss against ${rival} (${forecasts})`
}
