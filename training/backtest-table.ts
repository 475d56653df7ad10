import { table } from '../src/cli/table.ts'
import type { BacktestReport, BacktestRow } from './backtest.ts'

/** For a reader at a terminal. */
export function formatBacktest (reports: readonly BacktestReport[]): string {
  return reports.map(({ name, scoredFrom, to, rows }) => {
    const priced = rows.some(({ money }) => money !== null)
    const header = ['AUTOSCALER', 'VIOLATIONS', 'INSTANCE-HOURS', 'COST', ...priced ? ['MONEY'] : [], 'CHANGES/H', 'WORST HOUR']
    return [`${name}, ${minuteOf(scoredFrom)} to ${minuteOf(to)} UTC`, table([header, ...rows.map(row => cells(row, priced))])].join('\n')
  }).join('\n\n') + '\n\nCOST: instance-hours as a multiple of those of the cheapest cover, which knows the load beforehand.'
}

function cells (row: BacktestRow, priced: boolean): string[] {
  const { autoscaler, violationRatio, instanceHours, costRatio, money, changesPerHour, worstHour } = row
  return [
    autoscaler,
    percent(violationRatio),
    instanceHours.toFixed(1),
    costRatio.toFixed(3),
    ...priced ? [money === null ? '-' : money.total.toFixed(2)] : [],
    changesPerHour.toFixed(1),
    worstHour === null ? '-' : `${percent(worstHour.violationRatio)} at ${minuteOf(worstHour.at)}`
  ]
}

/** 0.0123 → "1.23 %" */
export function percent (ratio: number): string { return `${(100 * ratio).toFixed(2)} %` }

/** Epoch ms → "2026-11-20 12:00" in UTC. */
export function minuteOf (at: number): string { return new Date(at).toISOString().slice(0, 16).replace('T', ' ') }
