import { parseArgs } from 'node:util'
import { Packr } from 'msgpackr'
import type { Parameter, TuningRules } from '../src/domain.ts'
import { createRandom, normal } from '../src/ml/random.ts'
import { emptyTuningState } from '../src/policy/suggest.ts'
import { presetRules } from '../src/tuning/preset.ts'
import { takeTurn, type TuningOutcome } from '../src/tuning/turn.ts'

/**
 * What one result (learned, and the next suggestion) and one suggestion alone cost, what is kept, by the number of parameters, and the memory that
 * many services take. `node dist/bench/tuning-turn.js [--steps 500] [--services 200]` prints JSON. Seeded but for the times.
 */
const { values } = parseArgs({ options: { steps: { type: 'string', default: '500' }, services: { type: 'string', default: '200' } } })
const steps = Number(values.steps)
const packr = new Packr({ moreTypes: true, useRecords: true })

function rulesOf (count: number): TuningRules {
  const parameters = Array.from({ length: count }, (_, i): Parameter => ({ name: `p${i}`, kind: 'real', low: 0, high: 1, default: 0.5 }))
  return { ...presetRules, parameters }
}

function measure (service: string, count: number, ownSteps: number) {
  const rules = rulesOf(count)
  const random = createRandom(1)
  let outcome: Pick<TuningOutcome, 'state' | 'record'> | null = null
  const learning: number[] = []
  const asking: number[] = []
  for (let i = 0; i < ownSteps; i++) {
    const signals = { requestsPerSecond: 500 + 100 * Math.sin(i / 20), errorRatio: 0.01, responseTimeSeconds: 0.05 * (1 + 0.1 * normal(random)) }
    const base = { service, state: outcome?.state ?? emptyTuningState(), record: outcome?.record ?? null, rules, holdMs: 60_000, signals }
    const began = performance.now()
    const { suggestion } = takeTurn({ ...base, feedback: [] })
    asking.push(performance.now() - began)
    const gain = Object.values(suggestion.config).reduce<number>((sum, value) => sum - Math.abs(Number(value) - 0.7), 0) / count
    const reported = { id: `result-${i}`, service, at: i * 60_000, state: signals, config: suggestion.config, performance: 70 + 60 * gain + normal(random) }
    const resumed = performance.now()
    outcome = takeTurn({ ...base, feedback: [reported] })
    learning.push(performance.now() - resumed)
  }
  return { learning, asking, record: outcome!.record }
}

function quantile (values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Number(sorted[Math.floor(share * (sorted.length - 1))].toFixed(2))
}

const turns = [5, 12, 25, 50].map(parameters => {
  const { learning, asking, record } = measure('shop', parameters, steps)
  const late = (values: readonly number[]) => ({ median: quantile(values.slice(steps / 2), 0.5), p95: quantile(values.slice(steps / 2), 0.95) })
  return { parameters, resultMs: late(learning), suggestionMs: late(asking), recordBytes: packr.pack(record).length }
})
const records = Array.from({ length: Number(values.services) }, (_, i) => packr.pack(measure(`service-${i}`, 5, 20).record))
const memory = { services: records.length, residentMiB: Math.round(process.memoryUsage().rss / 2 ** 20) }
process.stdout.write(JSON.stringify({ bench: 'tuning-turn', steps, turns, memory }, null, 2) + '\n')
