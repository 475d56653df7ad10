import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startPrescale } from './prescale-process.ts'
import { createLiveLoad, type Period } from './tuning/live-load.ts'
import { liveDefaults, liveParameters, startLiveService, type LiveConfig } from './tuning/real-service.ts'

/**
 * A real HTTP service (bench/tuning/real-service.ts) tuned live by a running prescale through deploy/examples/tuning-client.mjs, beside a twin that keeps
 * its defaults under the same requests. Prints JSON: performance of both, their difference with an interval of 95 %, and the worst step.
 * `node dist/bench/tuning-live.js [--steps 200] [--period 2] [--seed 1]`: seconds of a step; 200 steps take 7 minutes.
 */
const { values: args } = parseArgs({ options: { steps: { type: 'string', default: '200' }, period: { type: 'string', default: '2' }, seed: { type: 'string', default: '1' } } })
const [steps, periodSeconds, seed] = [Number(args.steps), Number(args.period), Number(args.seed)]

const round = (value: number) => Number(value.toFixed(2))
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** Of values that follow one another: the mean, and 1.96 standard errors by the means of ten neighbours, which depend on each other less. */
function interval (values: readonly number[]) {
  const blocks = Array.from({ length: Math.floor(values.length / 10) }, (_, i) => meanOf(values.slice(10 * i, 10 * i + 10)))
  const mean = meanOf(blocks)
  const deviation = Math.sqrt(blocks.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (blocks.length - 1))
  const reach = 1.96 * deviation / Math.sqrt(blocks.length)
  return { mean: round(mean), low: round(mean - reach), high: round(mean + reach) }
}

function report (tuned: readonly Period[], twin: readonly Period[], config: LiveConfig) {
  const differences = tuned.map(({ performance }, i) => performance - twin[i].performance)
  const minute = Math.max(1, Math.round(60 / periodSeconds))
  const ratios = tuned.map(({ performance }, i) => performance / meanOf(twin.slice(Math.max(0, i - minute + 1), i + 1).map(one => one.performance)))
  const performances = (periods: readonly Period[]) => round(meanOf(periods.map(one => one.performance)))
  return {
    steps,
    defaults: performances(twin),
    tuned: performances(tuned),
    tunedLastHalf: performances(tuned.slice(steps / 2)),
    difference: interval(differences),
    differenceLastHalf: interval(differences.slice(steps / 2)),
    worstStepOfDefaultsThatMinute: round(Math.min(...ratios)),
    stepsBelow70Percent: ratios.filter(ratio => ratio < 0.7).length,
    config
  }
}

// JSON is YAML. The twin proves the gain, so no defaults in between.
const prescale = await startPrescale(JSON.stringify({ services: { live: { tuning: { parameters: liveParameters, proofShare: 0 } } }, logLevel: 'warn' }))
const services = [await startLiveService(seed), await startLiveService(seed)]
const load = createLiveLoad(services, { seed, periodSeconds, requestsPerSecond: step => 100 + 40 * Math.sin(step / 15) })
const [tuned, twin]: [Period[], Period[]] = [[], []]
const clientPath = fileURLToPath(new URL('../../deploy/examples/tuning-client.mjs', import.meta.url))
const { createTuningClient } = await import(clientPath)
const client = createTuningClient({
  url: prescale.url,
  service: 'live',
  periodSeconds,
  apply: (config: LiveConfig) => { services[0].apply(config) },
  measure: async () => {
    const [own, other] = await load.run()
    tuned.push(own)
    twin.push(other)
    return own
  },
  onError: (error: Error) => { process.stderr.write(`${error.message}\n`) }
})
services.forEach(service => { service.apply(liveDefaults) })
await load.run() // warms caches and connections
while (tuned.length < steps) await client.step()
process.stdout.write(JSON.stringify(report(tuned, twin, client.running), null, 2) + '\n')
load.close()
await Promise.all([...services.map(service => service.close()), prescale.stop()])
