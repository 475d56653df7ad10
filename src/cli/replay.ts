import { join } from 'node:path'
import type { Command } from 'commander'
import { packageRoot } from './package-root.ts'
import { checkBounds, number, say } from './terminal.ts'

interface ReplayFlags {
  readonly trace: string
  readonly out: string
  readonly capacity: number
  readonly target: number
  readonly startUp: number
  readonly min: number
  readonly max: number
  readonly stepSeconds: number
  readonly seasonSeconds: number
  readonly violationTarget: number
  readonly trainRows: number
  readonly seed: number
  readonly model?: string
  readonly plot?: string
  readonly json?: boolean
}

const whole = (least: number) => number({ least, whole: true })

export function addReplay (program: Command): void {
  program.command('replay')
    .description('Say what would have been decided on your own history: a CSV of the load in, a CSV of decisions out.')
    .requiredOption('--trace <file>', 'CSV, may end in .gz, with the columns at (epoch seconds, begin of the step) and requestsPerSecond, and more signals if you have them')
    .requiredOption('--out <file>', 'CSV at,replicas,source,forecast,reason: the wish at the end of each step; may end in .gz')
    .option('--capacity <load>', 'load that one instance carries at 100 % utilisation', number({ above: 0 }), 100)
    .option('--target <share>', 'utilisation that the reactive rule aims at', number({ least: 0.01, most: 1 }), 0.7)
    .option('--start-up <seconds>', 'from the order of an instance until it serves', number({ least: 0 }), 120)
    .option('--min <replicas>', 'fewest instances', whole(0), 1)
    .option('--max <replicas>', 'most instances', whole(1), 200)
    .option('--step-seconds <seconds>', 'length of one step of the trace', number({ least: 1 }), 60)
    .option('--season-seconds <seconds>', 'length of the cycle that the load repeats', number({ least: 60 }), 86_400)
    .option('--violation-target <share>', 'share of requests that may meet too few instances', number({ least: 0.0001, most: 1 }), 0.01)
    .option('--train-rows <rows>', 'learn from the first rows, and from then on from all that has passed; 0 uses a trained model only', whole(0), 0)
    .option('--model <folder>', 'a trained forecast: its folder with manifest.json, or a folder of models (default: the one that came with prescale)')
    .option('--plot <file>', 'a picture of load, forecast and replicas, as SVG')
    .option('--json', 'say what was written as JSON, for programs')
    .option('--seed <number>', 'of everything random', whole(0), 1)
    .addHelpText('after', `
Nothing is ever decided with knowledge of a later row. Memory does not grow with the trace.

Examples:
  prescale replay --trace load.csv.gz --capacity 250 --out decisions.csv
  prescale replay --trace load.csv --capacity 250 --out decisions.csv --plot decisions.svg
  prescale replay --trace load.csv --train-rows 10080 --start-up 300 --out decisions.csv`)
    .action(replay)
}

async function replay ({ model, startUp, json, ...flags }: ReplayFlags): Promise<void> {
  checkBounds(flags)
  const [{ replay }, { loadFrom, forecastModel }] = await Promise.all([import('../../training/replay.ts'), import('../models.ts')])
  const forecast = await loadFrom(model ?? join(packageRoot(), 'models'), forecastModel, { optional: model === undefined && flags.trainRows > 0 })
  const { rows } = await replay({ ...flags, startUpSeconds: startUp, models: { forecast, anomaly: null, config: null } })
  const { out, plot } = flags
  say(json ? JSON.stringify({ out, rows, ...(plot !== undefined && { plot }) }) : `${out}: ${rows} decisions${plot === undefined ? '' : `; ${plot}: their picture`}`)
}
