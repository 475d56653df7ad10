import { parseArgs } from 'node:util'
import type { Signals } from '../src/domain.ts'
import { createRandom, normal } from '../src/ml/random.ts'
import type { Random } from '../src/ml/random.ts'
import { detect } from '../src/policy/verdict.ts'
import type { AnomalyState } from '../src/policy/verdict.ts'
import { learnService } from '../training/train-anomaly.ts'

/**
 * Twenty kinds of fault in five magnitudes, put into a simulated service of ten signals at ten times of its day: was there an alarm, and was a signal that
 * the fault really moved named first, and among the first three? Beside it the naive way: the signal that is most deviations from its mean,
 * with an alarm where one is farther than in 99.9 % of the training rows. `node dist/bench/faults.js [--seed 1]` prints JSON.
 */
const { values: args } = parseArgs({ options: { seed: { type: 'string', default: '1' } } })
const stepSeconds = 60
const day = 1440
const trainDays = 4
const faultSteps = 30
const magnitudes = [1, 2, 4, 8, 16]
const trials = 10

/** Usual value, share of it that follows the load of the day, and deviation of the noise. */
const service: Record<string, { readonly usual: number, readonly daily: number, readonly noise: number }> = {
  cpuUsageRatio: { usual: 0.4, daily: 0.5, noise: 0.02 },
  memoryUsageRatio: { usual: 0.55, daily: 0.05, noise: 0.01 },
  diskIoBytesPerSecond: { usual: 4e6, daily: 0.2, noise: 4e5 },
  networkInBytesPerSecond: { usual: 2e6, daily: 0.6, noise: 1e5 },
  networkOutBytesPerSecond: { usual: 9e6, daily: 0.6, noise: 4e5 },
  requestsPerSecond: { usual: 300, daily: 0.6, noise: 10 },
  errorRatio: { usual: 0.01, daily: 0, noise: 0.002 },
  responseTimeSeconds: { usual: 0.12, daily: 0.3, noise: 0.01 },
  queueLength: { usual: 20, daily: 0.4, noise: 3 },
  threadCount: { usual: 64, daily: 0.2, noise: 2 }
}
const names = Object.keys(service)

/** Deviations of noise that a fault of magnitude 1 adds, `step` steps after its begin. */
type Shape = (step: number, random: Random) => number
const constant: Shape = () => 1
const ramp: Shape = step => 2 * step / faultSteps
const blip: Shape = step => step < 2 ? 2 : 0
const pulses: Shape = step => step % 6 < 2 ? 1.5 : 0
const noise: Shape = (_, random) => 1.5 * normal(random)

interface Fault { readonly shape: Shape, readonly moves: Readonly<Record<string, number>> }
const faults: Record<string, Fault> = {
  errorBurst: { shape: constant, moves: { errorRatio: 1 } },
  slowResponses: { shape: constant, moves: { responseTimeSeconds: 1 } },
  busyNeighbour: { shape: constant, moves: { cpuUsageRatio: 1 } },
  memoryLeak: { shape: ramp, moves: { memoryUsageRatio: 1 } },
  diskStorm: { shape: constant, moves: { diskIoBytesPerSecond: 1 } },
  trafficSpike: { shape: constant, moves: { requestsPerSecond: 1, networkInBytesPerSecond: 1, networkOutBytesPerSecond: 1, cpuUsageRatio: 1 } },
  trafficLoss: { shape: constant, moves: { requestsPerSecond: -1, networkInBytesPerSecond: -1, networkOutBytesPerSecond: -1, cpuUsageRatio: -1 } },
  backlog: { shape: ramp, moves: { queueLength: 1, responseTimeSeconds: 0.5 } },
  threadLeak: { shape: ramp, moves: { threadCount: 1 } },
  dataLeak: { shape: constant, moves: { networkOutBytesPerSecond: 1 } },
  deafNetwork: { shape: constant, moves: { networkInBytesPerSecond: -1 } },
  retryStorm: { shape: constant, moves: { requestsPerSecond: 0.7, errorRatio: 1 } },
  deadlock: { shape: ramp, moves: { threadCount: 1, cpuUsageRatio: -1, responseTimeSeconds: 1 } },
  collectorPauses: { shape: pulses, moves: { cpuUsageRatio: 1, responseTimeSeconds: 1 } },
  flakyErrors: { shape: pulses, moves: { errorRatio: 1 } },
  noisySensor: { shape: noise, moves: { memoryUsageRatio: 1 } },
  counterReset: { shape: blip, moves: { networkOutBytesPerSecond: 1 } },
  coldCache: { shape: constant, moves: { diskIoBytesPerSecond: 1, responseTimeSeconds: 0.7 } },
  slowSaturation: { shape: ramp, moves: { cpuUsageRatio: 1, queueLength: 1, responseTimeSeconds: 1 } },
  hungDownstream: { shape: constant, moves: { queueLength: 1, threadCount: 1, networkInBytesPerSecond: -0.7 } }
}

function calm (step: number, random: Random): Signals {
  const load = Math.sin(2 * Math.PI * step / day)
  return Object.fromEntries(names.map(name => {
    const { usual, daily, noise } = service[name]
    return [name, Math.max(0, usual * (1 + daily * load) + noise * normal(random))]
  }))
}

function withFault (signals: Signals, { shape, moves }: Fault, { magnitude, step, random }: { magnitude: number, step: number, random: Random }): Signals {
  const moved = Object.entries(moves).map(([name, share]) => [name, Math.max(0, signals[name] + share * magnitude * shape(step, random) * service[name].noise)])
  return { ...signals, ...Object.fromEntries(moved) }
}

const random = createRandom(Number(args.seed))
const rows = Array.from({ length: trainDays * day }, (_, step) => calm(step, random))
const options = { stepSeconds, seasonSeconds: day * stepSeconds, falseAlarmsPerWeek: 7 }
const learned = learnService({ signals: names, x: Float64Array.from(rows.flatMap(row => names.map(name => row[name]))), at: Float64Array.from(rows, (_, step) => at(step)) },
  { ...options, random })
const model = { version: 'bench', forest: learned.forest }
function at (step: number): number { return (step + 1) * stepSeconds * 1000 }

const scales = names.map(name => {
  const mean = rows.reduce((sum, row) => sum + row[name], 0) / rows.length
  return { mean, deviation: Math.sqrt(rows.reduce((sum, row) => sum + (row[name] - mean) ** 2, 0) / rows.length) }
})
const distances = (signals: Signals) => names.map((name, i) => Math.abs(signals[name] - scales[i].mean) / scales[i].deviation)
const naiveThreshold = rows.map(row => Math.max(...distances(row))).sort((a, b) => a - b)[Math.floor(0.999 * rows.length)]

interface Outcome { readonly detected: boolean, readonly named: readonly string[] }

function tryFault (fault: Fault, magnitude: number, { state, from }: { state: AnomalyState, from: number }): { ours: Outcome, naive: Outcome } {
  let best = { score: -1, named: [] as string[] }
  let farthest = { distance: -1, named: [] as string[] }
  let detected = false
  for (let step = 0; step < faultSteps; step++) {
    const signals = withFault(calm(from + step, random), fault, { magnitude, step, random })
    const next = detect(state, { service: 'bench', at: at(from + step), signals }, { ...options, model, explain: 'all' })
    state = next.state
    detected ||= next.verdict.isAnomaly
    if (next.verdict.score > best.score) best = { score: next.verdict.score, named: next.verdict.causes.map(({ signal }) => signal) }
    const z = distances(signals)
    const distance = Math.max(...z)
    if (distance > farthest.distance) farthest = { distance, named: [...z.keys()].sort((a, b) => z[b] - z[a]).map(i => names[i]) }
  }
  return { ours: { detected, named: best.named }, naive: { detected: farthest.distance > naiveThreshold, named: farthest.named } }
}

/** States of one calm day after training, a few hours apart. */
function startingPoints (): { state: AnomalyState, from: number }[] {
  const points: { state: AnomalyState, from: number }[] = []
  let { state } = learned
  for (let step = trainDays * day; points.length < trials; step++) {
    if (step % (day / trials) === day / trials - 1 && !state.alarm.active) points.push({ state, from: step })
    state = detect(state, { service: 'bench', at: at(step), signals: calm(step, random) }, { ...options, model }).state
  }
  return points
}

function summary (outcomes: readonly { outcome: Outcome, fault: Fault }[]) {
  const share = (holds: (one: { outcome: Outcome, fault: Fault }) => boolean) => outcomes.filter(holds).length / outcomes.length
  return {
    detected: share(({ outcome }) => outcome.detected),
    causeFirst: share(({ outcome, fault }) => outcome.named[0] in fault.moves),
    causeAmongThree: share(({ outcome, fault }) => outcome.named.slice(0, 3).some(name => name in fault.moves))
  }
}

const points = startingPoints()
const tried = Object.entries(faults).flatMap(([kind, fault]) => magnitudes.flatMap(magnitude =>
  points.map(point => ({ kind, fault, magnitude, ...tryFault(fault, magnitude, point) }))))
const sum = (some: typeof tried) => ({
  ours: summary(some.map(({ ours, fault }) => ({ outcome: ours, fault }))),
  naive: summary(some.map(({ naive, fault }) => ({ outcome: naive, fault })))
})
const byMagnitude = Object.fromEntries(magnitudes.map(magnitude => [`${magnitude} deviations`, sum(tried.filter(one => one.magnitude === magnitude))]))
const byKind = Object.fromEntries(Object.keys(faults).map(kind => [kind, sum(tried.filter(one => one.kind === kind))]))
process.stdout.write(JSON.stringify({ trials: tried.length, all: sum(tried), byMagnitude, byKind }, null, 2) + '\n')
