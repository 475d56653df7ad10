/** What training one model gave. Everything in it but the times is the same for the same data and seed. */
export interface TrainReport {
  readonly name: string
  readonly version: string
  readonly directory: string
  readonly bytes: number
  readonly rows: number
  readonly holdOutRows: number
  readonly seconds: number
  /** On rows that were kept aside, each beside what a naive baseline reaches on them. */
  readonly comparisons: readonly Comparison[]
  /** Other numbers, on the same rows. */
  readonly metrics: Readonly<Record<string, number>>
}

export interface Comparison {
  readonly metric: string
  readonly model: number
  readonly naive: number
  readonly better: 'lower' | 'higher'
  /** What the baseline does. */
  readonly baseline: string
}

/** For a reader; the same as JSON is the report itself. */
export function formatReports (reports: readonly TrainReport[]): string {
  return reports.map(report => {
    const { name, version, rows, holdOutRows, bytes, seconds, comparisons, metrics, directory } = report
    const table = [
      ['hold-out metric', 'model', 'naive', 'baseline'],
      ...comparisons.map(({ metric, model, naive, better, baseline }) => [`${metric} (${better} is better)`, format(model), format(naive), baseline]),
      ...Object.entries(metrics).map(([metric, value]) => [metric, format(value), '', ''])
    ]
    const widths = table[0].map((_, column) => Math.max(...table.map(row => row[column].length)))
    return [
      `${name} ${version}: ${rows.toLocaleString('en-US')} rows, ${holdOutRows.toLocaleString('en-US')} kept aside, ${(bytes / 1024).toFixed(0)} KiB, ${seconds.toFixed(1)} s → ${directory}`,
      ...table.map(row => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()}`)
    ].join('\n')
  }).join('\n\n')
}

function format (value: number): string { return Number(value.toPrecision(4)).toString() }
