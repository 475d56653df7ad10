import { join } from 'node:path'
import type { Command } from 'commander'
import { packageRoot } from './package-root.ts'
import { number, say } from './terminal.ts'

interface DetectFlags {
  readonly data: string
  readonly out: string
  readonly trainRows?: number
  readonly stepSeconds?: number
  readonly seasonSeconds?: number
  readonly falseAlarmsPerWeek?: number
  readonly seed?: number
  readonly model?: string
  readonly threads?: number
  readonly study?: boolean
  readonly incidents?: string
  readonly json?: boolean
}

const whole = (least: number) => number({ least, whole: true })

export function addDetect (program: Command): void {
  program.command('detect')
    .description('Say what was abnormal in your own history: a CSV of signals in, a CSV of scores, severities and causes out.')
    .requiredOption('--data <file>', 'CSV, may end in .gz: every numeric column is a signal, at or timestamp is the time, label is ignored')
    .requiredOption('--out <file>', 'CSV row,score,threshold,isAnomaly,severity,causes and more; may end in .gz')
    .option('--incidents <file>', 'CSV of what consecutive anomalies make up: start, peak, end, causes, maintenance; may end in .gz')
    .option('--train-rows <rows>', 'the first rows are normal: learn from them what is', whole(0))
    .option('--step-seconds <seconds>', 'length of one step, where the file has no time', number({ least: 0.001 }))
    .option('--season-seconds <seconds>', 'length of the cycle that the signals repeat', number({ least: 1 }))
    .option('--false-alarms-per-week <number>', 'how many are acceptable', number({ least: 0.001 }))
    .option('--model <folder>', 'a trained model that serves until training rows give a better one: its folder with manifest.json, or a folder of models (default: ours)')
    .option('--study', 'without training rows: judge by a standard of its own after about four days, as live services are judged')
    .option('--json', 'say what was written as JSON, for programs')
    .option('--seed <number>', 'of everything random', whole(0))
    .option('--threads <threads>', 'worker threads for learning from training rows; the result is the same', whole(1))
    .addHelpText('after', `
Nothing is ever judged with knowledge of a later row. Memory does not grow with the file.
Further columns: tailProbability (how probable a score at least as high is on a calm row), incident (the row at which the open one began),
maintenance and maintenanceProbability, missing (signals), drift (of the scores, by the day).

Examples:
  prescale detect --data metrics.csv.gz --out verdicts.csv
  prescale detect --data metrics.csv --train-rows 10080 --out verdicts.csv`)
    .action(detect)
}

async function detect ({ model, study, json, ...flags }: DetectFlags): Promise<void> {
  const [{ detectFile }, { anomalyModel, loadFrom }] = await Promise.all([import('../../training/detect.ts'), import('../models.ts')])
  const shipped = await loadFrom(model ?? join(packageRoot(), 'models'), anomalyModel, { optional: model === undefined })
  const written = await detectFile({ ...flags, ...(study && { studies: true }), model: shipped })
  say(json ? JSON.stringify({ out: flags.out, ...written }) : flags.out)
}
