import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { gain, recoverySteps, runScenario, unsafeShare, type RunTrace } from './tuning/measure.ts'
import { findOptima, type Optimum } from './tuning/optima.ts'
import { scenarioNames, type ScenarioName } from './tuning/scenario.ts'
import { strategies } from './tuning/strategies.ts'

const help = `Usage: node dist/bench/tuning.js [options]

Tunes the simulated service of bench/tuning/service.ts by several strategies and prints JSON: gain (0 the defaults, 1 the best there is) up to 200 and
1,000 observations and over the last 100 before them, share of unsafe steps, steps to recover from a change, milliseconds of a step.

  --seeds N          runs of each scenario (20)
  --first N          the first seed (0)
  --steps N          steps of each run (1000)
  --scenarios LIST   of ${scenarioNames.join(', ')} (S2,S3,S4)
  --strategies LIST  of ${Object.keys(strategies).join(', ')} (surrogate,bluefin,supervised)
  --signals WHEN     present: suggestions see the load they are for; previous: that of the step before (present)
  --optima FILE      the best configurations (3 minutes to find): read from there, or kept there
`
const { values: args } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    first: { type: 'string', default: '0' },
    steps: { type: 'string', default: '1000' },
    scenarios: { type: 'string', default: 'S2,S3,S4' },
    strategies: { type: 'string', default: 'surrogate,bluefin,supervised' },
    signals: { type: 'string', default: 'present' },
    optima: { type: 'string' },
    help: { type: 'boolean' }
  }
})
if (args.help) {
  process.stdout.write(help)
  process.exit(0)
}

function readOptima (): Optimum[] {
  if (args.optima !== undefined && existsSync(args.optima)) return JSON.parse(readFileSync(args.optima, 'utf8')) as Optimum[]
  const found = findOptima()
  if (args.optima !== undefined) writeFileSync(args.optima, JSON.stringify(found))
  return found
}

const round = (value: number) => Number(value.toFixed(3))
const mean = (values: readonly number[]) => round(values.reduce((sum, value) => sum + value, 0) / values.length)
const quantile = (values: readonly number[], share: number) => round([...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? NaN)

function report (traces: readonly RunTrace[], steps: number) {
  const ends = [200, 1000].filter(end => end <= steps)
  const over = (from: (end: number) => number) => Object.fromEntries(ends.map(end => [end, mean(traces.map(trace => gain(trace, from(end), end)))]))
  const recovery = traces.flatMap(trace => recoverySteps(trace))
  const stepMs = traces.flatMap(trace => trace.stepMs)
  return {
    gainUpTo: over(() => 0),
    gainOfLast100: over(end => end - 100),
    unsafeShare: mean(traces.map(unsafeShare)),
    recoverySteps: recovery.length === 0 ? null : { median: quantile(recovery, 0.5), mean: mean(recovery) },
    suggestMs: { median: quantile(traces.flatMap(trace => trace.suggestMs), 0.5) },
    stepMs: { median: quantile(stepMs, 0.5), p95: quantile(stepMs, 0.95) }
  }
}

const steps = Number(args.steps)
const optima = readOptima()
const results: Record<string, Record<string, unknown>> = {}
for (const scenario of args.scenarios.split(',') as ScenarioName[]) {
  results[scenario] = {}
  for (const strategy of args.strategies.split(',')) {
    const traces: RunTrace[] = []
    for (let seed = Number(args.first); seed < Number(args.first) + Number(args.seeds); seed++) {
      const options = { seed, steps, optima, signals: args.signals as 'present' | 'previous', now: () => performance.now() }
      traces.push(await runScenario(scenario, strategies[strategy], options))
    }
    results[scenario][strategy] = report(traces, steps)
  }
}
process.stdout.write(JSON.stringify({ seeds: Number(args.seeds), steps, signals: args.signals, results }, null, 2) + '\n')
