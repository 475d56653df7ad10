import { InvalidArgumentError, Option, type Command } from 'commander'
import type { PrometheusSource } from '../config.ts'
import type { Trainable, TrainOptions } from '../../training/train.ts'
import { isolationVariants } from '../ml/isolation-tree.ts'
import { number, say } from './terminal.ts'

interface TrainFlags extends Pick<TrainOptions, 'engine' | 'seed' | 'seasonSeconds' | 'capacity' | 'rows' | 'trees' | 'epochs' | 'threads' | 'variant'> {
  readonly data?: string
  readonly prometheus?: string
  readonly since: string
  readonly query?: Readonly<Record<string, string>>
  readonly serviceLabel?: string
  readonly stepSeconds: number
  readonly config?: string
  readonly only?: Trainable[]
  readonly out: string
  readonly name?: string
  readonly json?: boolean
}

const whole = (least: number) => number({ least, whole: true })

export function addTrain (program: Command): void {
  program.command('train')
    .description('Train the models from CSV files, or from what a Prometheus server remembers. The same data and seed give the same models.')
    .option('--data <path>', 'a CSV file, or a folder of them; the columns say what can be learned from each')
    .option('--prometheus <url>', 'a Prometheus server, instead of files')
    .option('--since <duration>', 'how far back to ask it: a number with s, m, h, d or w', '14d')
    .option('--query <signal=promql>', 'what to ask it; once for each signal (default: as its source in the configuration)', addQuery)
    .option('--service-label <label>', 'the label that tells services apart in its answers')
    .option('--step-seconds <seconds>', 'distance of the values to ask it for', number({ least: 1 }), 60)
    .option('--config <file>', 'configuration to take the queries from (default: prescale.yaml, if there is one)')
    .addOption(new Option('--only <models...>', 'which models (default: all that the data allow)').choices(['forecast', 'anomaly', 'config']))
    .addOption(new Option('--engine <engine>', 'random forest of the load: ours, or the npm library for comparison').choices(['prescale', 'ml-random-forest']).default('prescale'))
    .addOption(new Option('--variant <variant>', 'splits of the isolation forest').choices(isolationVariants).default('axis'))
    .option('--seed <number>', 'of everything random', whole(0), 1)
    .option('--out <folder>', 'folder of models; each gets a new version there', 'models')
    .option('--name <version>', 'version of the models (default: the number after the newest)')
    .option('--season-seconds <seconds>', 'length of the cycle that the load repeats', number({ least: 60 }))
    .option('--capacity <load>', 'load that one instance carries at 100 % utilisation', number({ above: 0 }))
    .option('--rows <rows>', 'rows for the load forecast', whole(1))
    .option('--trees <trees>', 'trees of the load forecast', whole(1))
    .option('--epochs <epochs>', 'passes for the configuration network', whole(1))
    .option('--threads <threads>', 'worker threads', whole(1))
    .option('--json', 'the report as JSON, for programs')
    .addHelpText('after', `
Examples:
  prescale train --data data
  prescale train --data history.csv.gz --only forecast --out models
  prescale train --prometheus http://127.0.0.1:9090 --since 14d --service-label app \\
    --query 'requestsPerSecond=sum by (app) (rate(http_requests_total[1m]))'`)
    .action(train)
}

function addQuery (text: string, queries: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, signal, query] = /^([a-z][A-Za-z0-9_]*)=(.+)$/s.exec(text) ?? []
  if (signal === undefined) throw new InvalidArgumentError('Expected a signal, "=", and a PromQL query.')
  return { ...queries, [signal]: query }
}

async function train ({ prometheus, since, query, serviceLabel, stepSeconds, config, name, json, ...flags }: TrainFlags): Promise<void> {
  const [{ train }, { formatReports }, { parseDuration }] = await Promise.all([
    import('../../training/train.ts'), import('../../training/report.ts'), import('../../training/prometheus-history.ts')
  ])
  const source = prometheus === undefined || query !== undefined ? undefined : await configuredSource(prometheus, config)
  const reports = await train({
    ...flags,
    ...(name !== undefined && { version: name }),
    ...(prometheus !== undefined && {
      prometheus: {
        url: prometheus,
        sinceSeconds: parseDuration(since),
        queries: query ?? source?.signals ?? {},
        stepSeconds,
        serviceLabel: serviceLabel ?? source?.serviceLabel,
        until: Date.now()
      }
    })
  })
  say(json ? JSON.stringify(reports, null, 2) : formatReports(reports))
}

/** The source with this address, so that training asks what the running service asks. */
async function configuredSource (url: string, configPath: string | undefined): Promise<PrometheusSource | undefined> {
  const { loadConfig } = await import('../config.ts')
  return loadConfig({ configPath }).sources.prometheus.find((source) => source.url === url)
}
