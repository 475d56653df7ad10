import { access, constants, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { packageRoot } from '../src/cli/package-root.ts'
import { loadConfig, resolveService } from '../src/config.ts'
import type { Objective, Policy } from '../src/domain.ts'
import { PrescaleError } from '../src/errors.ts'
import { forecastModel, loadFrom } from '../src/models.ts'
import type { ContestantName, ContestSetting } from '../src/simulation/contestants.ts'
import { backtest, type BacktestHistory, type BacktestOptions, type BacktestReport } from './backtest.ts'
import { backtestPage } from './backtest-page.ts'
import { unwritable } from './csv.ts'
import { loadsOf, readTraceHistory } from './backtest-history.ts'
import { nameOf } from './history.ts'
import { parseDuration, readPrometheus } from './prometheus-history.ts'
import { parseVariant } from './variant.ts'

export interface BacktestFlags {
  readonly trace?: string[]
  readonly service?: string
  readonly since: string
  readonly prometheus?: string
  readonly config?: string
  readonly capacity: number
  readonly target: number
  readonly startUp: number
  readonly min: number
  readonly max: number
  readonly stepSeconds: number
  readonly seasonSeconds: number
  readonly violationTarget: number
  readonly costPerReplicaHour?: number
  readonly costPerViolationMinute?: number
  readonly trainRows?: number
  readonly against?: string[]
  readonly whatIf?: string[]
  readonly model?: string
  readonly threads?: number
  readonly seed: number
  readonly report?: string
  readonly json?: boolean
}

type Setting = Omit<ContestSetting, 'scoreFrom'>
interface Subject { readonly histories: readonly BacktestHistory[], readonly capacity: number, readonly setting: Setting, readonly policy: Partial<Policy> }

/** The command: reads what is to be judged, judges it, and writes the page. */
export async function runBacktest (flags: BacktestFlags): Promise<{ reports: BacktestReport[] }> {
  const objective = objectiveOf(flags)
  const { report } = flags
  // Before minutes of work, not after.
  if (report !== undefined) await access(dirname(report), constants.W_OK).catch((error: Error) => { throw unwritable(report, error) })
  const { histories, capacity, setting, policy } = await readSubject(flags)
  const options: BacktestOptions = {
    histories,
    setting,
    prescale: {
      capacity,
      policy: { ...policy, ...(objective && { objective }) },
      forecast: await forecastBytes(flags.model),
      ...(flags.trainRows !== undefined && { trainRows: flags.trainRows }),
      seed: flags.seed
    },
    ...(flags.trainRows !== undefined && { trainRows: flags.trainRows }),
    ...(flags.against && { autoscalers: ['prescale' as const, ...flags.against as ContestantName[]] }),
    variants: (flags.whatIf ?? []).map(text => parseVariant(text, { setting, objective: objective ?? policy.objective })),
    ...(flags.threads !== undefined && { threads: flags.threads })
  }
  const { reports, series } = await backtest(options)
  if (report !== undefined) await writeFile(report, backtestPage(reports, series)).catch((error: Error) => { throw unwritable(report, error) })
  return { reports }
}

function objectiveOf ({ costPerReplicaHour, costPerViolationMinute }: BacktestFlags): Objective | undefined {
  if (costPerReplicaHour === undefined && costPerViolationMinute === undefined) return undefined
  if (costPerReplicaHour !== undefined && costPerViolationMinute !== undefined) return { costPerReplicaHour, costPerViolationMinute }
  throw new PrescaleError('invalid-request', '--cost-per-replica-hour and --cost-per-violation-minute only say something together.')
}

async function readSubject (flags: BacktestFlags): Promise<Subject> {
  const { trace, service } = flags
  if ((trace === undefined) === (service === undefined)) throw new PrescaleError('invalid-request', 'Either --trace or --service is needed, and not both.')
  return service === undefined ? await fromTraces(trace!, flags) : await fromPrometheus(service, flags)
}

async function fromTraces (trace: readonly string[], { capacity, target, startUp, min, max, ...flags }: BacktestFlags): Promise<Subject> {
  if (min > max) throw new PrescaleError('invalid-request', `--min ${min} is more than --max ${max}.`)
  const { stepSeconds, seasonSeconds, violationTarget } = flags
  const histories = await Promise.all(trace.map(path => readTraceHistory(path, { name: nameOf(path), stepSeconds })))
  return { histories, capacity, setting: { target, startUpSeconds: startUp, minReplicas: min, maxReplicas: max, stepSeconds, seasonSeconds, violationTarget }, policy: {} }
}

async function fromPrometheus (service: string, { prometheus, config: configPath, since, startUp, stepSeconds }: BacktestFlags): Promise<Subject> {
  const config = loadConfig({ configPath })
  const source = config.sources.prometheus.find(({ url }) => prometheus === undefined || url === prometheus)
  if (source === undefined) {
    throw new PrescaleError('invalid-request', `${config.file ?? 'The configuration'} has no source under sources.prometheus${prometheus === undefined ? '' : ` with the address ${prometheus}`}; its queries are needed.`)
  }
  const { policy } = resolveService(service, null, config)
  const { url, serviceLabel, signals: queries } = source
  const histories = await readPrometheus({ url, queries, serviceLabel, sinceSeconds: parseDuration(since), stepSeconds, until: Date.now() })
  const own = histories.find(({ name }) => name === service)
  if (own === undefined) throw new PrescaleError('unknown-service', `${source.url} knows nothing of ${service}; it answered for ${histories.map(({ name }) => name).slice(0, 10).join(', ') || 'nobody'}.`)
  const { history, capacity } = loadsOf(own, policy)
  const { target, startUpSeconds, minReplicas, maxReplicas, seasonSeconds, violationTarget, behavior, holdSeconds, objective } = policy
  return {
    histories: [history],
    capacity,
    setting: {
      target: target.kind === 'ratio' ? target.atTarget : target.utilization,
      startUpSeconds: startUpSeconds === 'auto' ? startUp : startUpSeconds,
      minReplicas,
      maxReplicas,
      stepSeconds,
      seasonSeconds,
      violationTarget
    },
    policy: { behavior, holdSeconds, ...(objective && { objective }) }
  }
}

/** As bytes, for every thread opens its own. */
async function forecastBytes (model: string | undefined) {
  const forecast = await loadFrom(model ?? join(packageRoot(), 'models'), forecastModel, { optional: model === undefined })
  return forecast && { bytes: forecast.toBytes(), version: forecast.version }
}
