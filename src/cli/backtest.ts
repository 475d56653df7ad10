import { InvalidArgumentError, Option, type Command } from 'commander'
import type { BacktestFlags } from '../../training/run-backtest.ts'
import { number, say } from './terminal.ts'

const whole = (least: number) => number({ least, whole: true })

export function addBacktest (program: Command): void {
  program.command('backtest')
    .description('Compare prescale with other autoscalers on your own history, in one simulated cluster.')
    .option('--trace <files...>', 'CSV, may end in .gz, with the columns at (epoch seconds, begin of the step) and requestsPerSecond')
    .option('--service <service>', 'instead: a service whose history a Prometheus server has, with its settings in the configuration')
    .option('--since <duration>', 'how far back to ask it: a number with s, m, h, d or w', '14d')
    .option('--prometheus <url>', 'which of the servers in the configuration (default: its only one)')
    .option('--config <file>', 'configuration (default: prescale.yaml, if there is one)')
    .option('--capacity <load>', 'load that one instance carries at 100 % utilisation', number({ above: 0 }), 100)
    .option('--target <share>', 'utilisation that reactive rules aim at', number({ least: 0.01, most: 1 }), 0.7)
    .option('--start-up <seconds>', 'from the order of an instance until it serves', number({ least: 0 }), 120)
    .option('--min <replicas>', 'fewest instances', whole(0), 1)
    .option('--max <replicas>', 'most instances', whole(1), 200)
    .option('--step-seconds <seconds>', 'length of one step', number({ least: 1 }), 60)
    .option('--season-seconds <seconds>', 'length of the cycle that the load repeats', number({ least: 60 }), 86_400)
    .option('--violation-target <share>', 'share of requests that may meet too few instances', number({ least: 0.0001, most: 1 }), 0.01)
    .addOption(new Option('--cost-per-replica-hour <money>', 'then costs are reported, and with the other one money decides').argParser(number({ least: 0 })))
    .addOption(new Option('--cost-per-violation-minute <money>', 'of a minute in which all requests meet too few instances').argParser(number({ least: 0 })))
    .option('--train-rows <steps>', 'steps to learn from before it counts (default: 60 % of the history)', whole(0))
    .addOption(new Option('--against <autoscalers...>', 'what to compare with').choices(['hpa', 'season', 'holt-winters', 'static', 'oracle']))
    .option('--what-if <settings>', 'prescale with other settings as well, such as minReplicas=3 or minReplicas=3,startUpSeconds=60; may be repeated', addVariant)
    .option('--model <folder>', 'a trained forecast to begin with (default: the one that came with prescale)')
    .option('--threads <threads>', 'worker threads (default: one for each processor)', whole(1))
    .option('--seed <number>', 'of everything random', whole(0), 1)
    .option('--report <file>', 'a page with plots, as one HTML file')
    .option('--json', 'the result as JSON, for programs')
    .addHelpText('after', `
hpa: Kubernetes' HorizontalPodAutoscaler. season: the same, which also sees the load of one season ago. holt-winters: the same, which sees that
forecast. static: the best constant, chosen with hindsight. oracle: knows the future. Nobody else is told anything of a later row.
With --service the settings of that service take the place of --capacity, --target, --min, --max and so on, where it has them.

Examples:
  prescale backtest --trace load.csv.gz --capacity 250 --report report.html
  prescale backtest --service shop --since 14d --cost-per-replica-hour 0.12 --cost-per-violation-minute 3
  prescale backtest --trace load.csv --what-if minReplicas=2 --what-if violationTarget=0.001,startUpSeconds=300`)
    .action(run)
}

function addVariant (text: string, variants: readonly string[] = []): string[] {
  if (!/^[A-Za-z]+=[^,=]+(,[A-Za-z]+=[^,=]+)*$/.test(text)) throw new InvalidArgumentError('Expected settings such as minReplicas=3 or minReplicas=3,startUpSeconds=60.')
  return [...variants, text]
}

async function run (flags: BacktestFlags): Promise<void> {
  const { runBacktest } = await import('../../training/run-backtest.ts')
  const { reports } = await runBacktest(flags)
  const { formatBacktest } = await import('../../training/backtest-table.ts')
  say(flags.json ? JSON.stringify({ histories: reports, ...(flags.report !== undefined && { report: flags.report }) }, null, 2) : formatBacktest(reports))
  if (flags.report !== undefined && !flags.json) say(`\n${flags.report}: a page with plots of it`)
}
