import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createRandom, normal } from '../src/ml/random.ts'
import { startPrescale } from './prescale-process.ts'

/**
 * Many tuned services in one process: each reports samples and results over HTTP and asks for suggestions, in rounds. Prints JSON: the most memory that
 * the process ever had (VmHWM, Linux only), that of one that tunes nothing, and how long a report with a suggestion took.
 * `node dist/bench/tuning-fleet.js [--services 1000] [--rounds 6] [--results 10]`: results of a service in a round; 6 × 10 take about 4 minutes.
 */
const { values: args } = parseArgs({ options: { services: { type: 'string', default: '1000' }, rounds: { type: 'string', default: '6' }, results: { type: 'string', default: '10' } } })
const [services, rounds, results] = [Number(args.services), Number(args.rounds), Number(args.results)]
const atOnce = 8

const prescale = await startPrescale(`limits: { services: ${services + 1} }\nlogLevel: warn\n`)
const mostMegabytes = () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${prescale.pid}/status`, 'utf8'))?.[1]) / 1024
const before = mostMegabytes()
const random = createRandom(1)

/** What is answered 503 (nothing learned yet, or too much at once) is sent again: by its ids nothing counts twice. */
async function ask (path: string, body?: unknown): Promise<Record<string, any>> {
  for (;;) {
    const response = await fetch(prescale.url + path, body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    if (response.ok) return await response.json() as Record<string, any>
    if (response.status !== 503) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

const suggestion = (service: string) => ask(`/v1/services/${service}/suggestion`)

/** A sample, some results around what is suggested, and the next suggestion. */
async function turn (service: string, round: number): Promise<number> {
  const usual = { networkInBytesPerSecond: 6e5, networkOutBytesPerSecond: 6e6, cpuUsageRatio: 0.5, errorRatio: 0.01, responseTimeSeconds: 0.05 }
  const state = { ...usual, requestsPerSecond: 300 + 100 * random() }
  await ask('/v1/samples', { samples: [{ service, at: Date.now(), signals: state }] })
  const config = round === 0 ? { threadPoolSize: 64 } : (await suggestion(service))['config']
  const feedback = Array.from({ length: results }, (_, i) => ({
    id: `${round}-${i}`, state, config, performance: 80 - 10 * Math.abs(Math.log2(config.threadPoolSize / 24)) + normal(random)
  }))
  const started = performance.now()
  await ask(`/v1/services/${service}/feedback`, feedback)
  await suggestion(service)
  return performance.now() - started
}

const names = Array.from({ length: services }, (_, i) => `service-${i}`)
const turnMs: number[] = []
for (let round = 0; round < rounds; round++) {
  const queue = names.values()
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (const service of queue) turnMs.push(await turn(service, round))
  }))
}
const { observations } = await suggestion(names.at(-1)!)
turnMs.sort((a, b) => a - b)
const report = {
  services,
  resultsOfEach: observations,
  mostMegabytesWithoutTuning: Math.round(before),
  mostMegabytes: Math.round(mostMegabytes()),
  turnMs: {
    results,
    atOnce,
    median: Math.round(turnMs[turnMs.length >> 1]),
    p99: Math.round(turnMs[Math.floor(0.99 * turnMs.length)])
  }
}
process.stdout.write(JSON.stringify(report, null, 2) + '\n')
await prescale.stop()
