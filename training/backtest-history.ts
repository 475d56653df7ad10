import type { Policy } from '../src/domain.ts'
import { PrescaleError } from '../src/errors.ts'
import { emptyCapacity, fullCapacity, learnCapacity } from '../src/policy/capacity.ts'
import { demandOf } from '../src/policy/demand.ts'
import type { BacktestHistory } from './backtest.ts'
import type { History } from './history.ts'
import { readTrace } from './replay.ts'

/**
 * The loads of a trace file on an even grid; a step without a row is one without a load.
 *
 * @throws PrescaleError `invalid-request` for times that do not rise or do not lie on the grid's order, or no load at all.
 */
export async function readTraceHistory (path: string, { name, stepSeconds }: { name: string, stepSeconds: number }): Promise<BacktestHistory> {
  const rows: { at: number, load: number }[] = []
  for await (const { at, load } of readTrace(path)) {
    const before = rows.at(-1)
    if (before !== undefined && !(at > before.at)) throw new PrescaleError('invalid-request', `${path}: at is ${at} after ${before.at}; it must rise from row to row.`)
    rows.push({ at, load })
  }
  return onGrid(rows, { name, stepSeconds, source: path })
}

/** What a policy makes of the signals of a history: its loads, and what one instance carries at full utilisation. */
export function loadsOf (history: History, policy: Policy): { history: BacktestHistory, capacity: number } {
  const { name, at, signals, x, stepSeconds } = history
  let capacity = emptyCapacity
  let learned: number | null = null
  const rows = Array.from(at, (ms, row) => {
    const measured = signals.map((signal, column) => [signal, x[row * signals.length + column]] as const).filter(([, value]) => Number.isFinite(value))
    const demand = demandOf({ service: name, at: ms, signals: Object.fromEntries(measured) }, policy, null)
    capacity = learnCapacity(capacity, demand)
    learned = fullCapacity(capacity, demand)
    return { at: ms / 1000, load: demand.load ?? NaN }
  })
  if (learned === null) {
    throw new PrescaleError('invalid-request', `What one replica of ${name} carries cannot be learned from this history (requestsPerSecond, cpuUsageRatio and readyReplicas are needed); its target can say it.`)
  }
  return { history: onGrid(rows, { name, stepSeconds, source: name }), capacity: learned }
}

function onGrid (rows: readonly { at: number, load: number }[], { name, stepSeconds, source }: { name: string, stepSeconds: number, source: string }): BacktestHistory {
  if (!rows.some(({ load }) => load >= 0)) throw new PrescaleError('invalid-request', `${source}: there is no load in it.`)
  const first = rows[0].at
  const loads = new Float64Array(Math.round((rows[rows.length - 1].at - first) / stepSeconds) + 1).fill(NaN)
  for (const { at, load } of rows) if (load >= 0) loads[Math.round((at - first) / stepSeconds)] = load
  return { name, startAt: (first + stepSeconds) * 1000, loads }
}
