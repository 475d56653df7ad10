import { createRandom, drawSeed, normal, type Random } from '../src/ml/random.ts'

export interface Workload {
  readonly name: string
  readonly stepSeconds: number
  readonly seasonSeconds: number
  /** Epoch seconds at which the first step begins. */
  readonly startAt: number
  /** Load that one instance carries at 100 % utilisation. */
  readonly capacity: number
  /** Requests per second of each step; NaN where nothing was measured. */
  readonly loads: Float64Array
}

const stepSeconds = 60
/** A Monday, so that weekends fall where they should. */
const firstDay = Date.UTC(2024, 0, 1) / 1000
/** Most services live by the day; some cycles are shorter (shifts, markets, tests in compressed time) or longer. */
const seasons = [86_400, 86_400, 86_400, 86_400, 17_280, 17_280, 43_200, 28_800, 21_600, 7200]
const capacity = 100

/**
 * A year's variety of services from one seed: daily and weekly seasons, noise, drift, trends, level shifts, bursts, scheduled jobs,
 * holidays, outages, gaps in the measurement. Each trait is drawn anew for every service, and many have few of them.
 */
export function generateWorkloads ({ count, seed, steps = 16 * 1440 }: { count: number, seed: number, steps?: number }): Workload[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, i) => generateWorkload(`workload-${i}`, { seed: drawSeed(random), steps }))
}

export function generateWorkload (name: string, { seed, steps }: { seed: number, steps: number }): Workload {
  const random = createRandom(seed)
  const seasonSeconds = seasons[Math.floor(random() * seasons.length)]
  const seasonSteps = seasonSeconds / stepSeconds
  const startAt = firstDay + Math.floor(random() * 365) * 86_400
  const time = { steps, seasonSteps, firstStep: startAt / stepSeconds }
  // Logarithms of factors add up; what is additive comes after.
  const logs = new Float64Array(steps)
  addSeasons(logs, time, random)
  addDrift(logs, time, random)
  addShifts(logs, time, random)
  addBursts(logs, time, random)
  const typicalLoad = capacity * Math.exp(Math.log(0.5) + random() * Math.log(120))
  const loads = logs.map(log => typicalLoad * Math.exp(log))
  addJobs(loads, { ...time, typicalLoad }, random)
  addOutages(loads, random)
  addNoise(loads, random)
  addGaps(loads, random)
  return { name, stepSeconds, seasonSeconds, startAt, capacity, loads }
}

interface Time { readonly steps: number, readonly seasonSteps: number, /** Number of the first step since 1970. */ readonly firstStep: number }

const chance = (random: Random, probability: number) => random() < probability
const between = (random: Random, low: number, high: number) => low + random() * (high - low)
/** Spreads evenly over orders of magnitude. */
const logBetween = (random: Random, low: number, high: number) => Math.exp(between(random, Math.log(low), Math.log(high)))
/** Steps until something happens next that happens `perSeason` times a season on average. */
const waiting = (random: Random, seasonSteps: number, perSeason: number) => 1 + Math.floor(-Math.log(1 - random()) * seasonSteps / perSeason)

/** A curve over the season out of a few harmonics, lower on two of seven seasons and on holidays. */
function addSeasons (logs: Float64Array, { seasonSteps, firstStep }: Time, random: Random): void {
  const strength = chance(random, 0.12) ? 0 : between(random, 0.1, 1.1)
  const harmonics = [1, 2, 3, 4, 6].map(order => ({ order, phase: random() * 2 * Math.PI, size: strength * Math.abs(normal(random)) / order ** 1.2 }))
  const restDays = chance(random, 0.6) ? between(random, -0.8, 0.1) : 0
  const restFlattens = between(random, 0.4, 1)
  const holidays = new Set(Array.from({ length: 12 }, () => Math.floor(random() * 365)))
  const seasonNoise = between(random, 0, 0.12)
  let season = -1
  let rest = false
  let ofSeason = 0
  for (let i = 0; i < logs.length; i++) {
    const seasons = (firstStep + i) / seasonSteps
    if (Math.floor(seasons) !== season) {
      season = Math.floor(seasons)
      rest = season % 7 >= 5 || holidays.has(season % 365)
      ofSeason = seasonNoise * normal(random)
    }
    let log = 0
    for (const { order, phase, size } of harmonics) log += size * Math.sin(2 * Math.PI * order * seasons + phase)
    logs[i] += (rest ? restDays + log * restFlattens : log) + ofSeason
  }
}

/** A trend over weeks and a wandering level with a memory of minutes to hours. */
function addDrift (logs: Float64Array, { seasonSteps }: Time, random: Random): void {
  const trend = chance(random, 0.4) ? 0.04 * normal(random) / seasonSteps : 0
  const wanders = [{ memory: logBetween(random, 3, 30) }, { memory: logBetween(random, 30, 600) }].map(({ memory }) => ({
    keep: Math.exp(-1 / memory), spread: logBetween(random, 0.005, 0.25), at: 0
  }))
  for (let i = 0; i < logs.length; i++) {
    logs[i] += trend * i
    for (const wander of wanders) {
      wander.at = wander.at * wander.keep + wander.spread * Math.sqrt(1 - wander.keep ** 2) * normal(random)
      logs[i] += wander.at
    }
  }
}

/** A release, a new customer, a moved region: the level changes and stays. */
function addShifts (logs: Float64Array, { seasonSteps }: Time, random: Random): void {
  if (chance(random, 0.5)) return
  const perSeason = logBetween(random, 0.05, 0.5)
  let level = 0
  for (let i = waiting(random, seasonSteps, perSeason), next = i; i < logs.length; i++) {
    if (i === next) {
      level = level * 0.7 + 0.35 * normal(random)
      next += waiting(random, seasonSteps, perSeason)
    }
    logs[i] += level
  }
}

/** News and campaigns: up within minutes, down again slowly. */
function addBursts (logs: Float64Array, { seasonSteps }: Time, random: Random): void {
  if (chance(random, 0.35)) return
  const perSeason = logBetween(random, 0.2, 40)
  const size = logBetween(random, 0.1, 1.2)
  const rise = logBetween(random, 1, 15)
  const fade = logBetween(random, 2, 60)
  for (let start = waiting(random, seasonSteps, perSeason); start < logs.length; start += waiting(random, seasonSteps, perSeason)) {
    const height = -size * Math.log(1 - random())
    const steps = rise * between(random, 0.5, 1.5)
    for (let i = start; i < Math.min(logs.length, start + steps + 6 * fade); i++) {
      const age = i - start
      logs[i] += height * (age < steps ? (age + 1) / (steps + 1) : Math.exp(-(age - steps) / fade))
    }
  }
}

/** Jobs by the clock, at odd minutes of every hour, of some hours or once a season. */
function addJobs (loads: Float64Array, { seasonSteps, firstStep, typicalLoad }: Time & { typicalLoad: number }, random: Random): void {
  if (chance(random, 0.5)) return
  for (let jobs = 1 + Math.floor(random() * 3); jobs > 0; jobs--) {
    const every = Math.max(5, Math.round(seasonSteps / [24, 24, 48, 12, 6, 4, 1][Math.floor(random() * 7)]))
    const offset = Math.floor(random() * every)
    const lasts = Math.min(every / 2, logBetween(random, 1, 20))
    const extra = typicalLoad * logBetween(random, 0.05, 1)
    const lateness = chance(random, 0.7) ? 0 : 1.5
    let late = 0
    for (let i = 0; i < loads.length; i++) {
      const place = (firstStep + i + every - offset) % every
      if (place === 0) late = Math.round(Math.abs(lateness * normal(random)))
      if (place >= late && place < late + lasts) loads[i] += extra
    }
  }
}

/** Callers that cannot reach the service, and their return all at once. */
function addOutages (loads: Float64Array, random: Random): void {
  if (chance(random, 0.6)) return
  for (let outages = 1 + Math.floor(random() * 4); outages > 0; outages--) {
    const start = Math.floor(random() * loads.length)
    const lasts = logBetween(random, 3, 180)
    const rest = random() * 0.1
    const rebound = between(random, 1, 1.6)
    for (let i = start; i < Math.min(loads.length, start + lasts + 15); i++) loads[i] *= i < start + lasts ? rest : rebound
  }
}

/** Counting noise (about a request in three is one of a burst), and the jitter of measuring. */
function addNoise (loads: Float64Array, random: Random): void {
  const clumping = logBetween(random, 0.01, 3)
  const jitter = chance(random, 0.3) ? 0 : logBetween(random, 0.003, 0.3)
  const outliers = chance(random, 0.7) ? 0 : logBetween(random, 1e-4, 2e-2)
  for (let i = 0; i < loads.length; i++) {
    const counted = loads[i] + Math.sqrt(loads[i] * clumping) * normal(random)
    const outlier = chance(random, outliers) ? logBetween(random, 1, 4) : 1
    loads[i] = Math.max(0, counted * Math.exp(jitter * normal(random) - jitter * jitter / 2) * outlier)
  }
}

function addGaps (loads: Float64Array, random: Random): void {
  if (chance(random, 0.7)) return
  for (let gaps = 1 + Math.floor(random() * 6); gaps > 0; gaps--) {
    const start = Math.floor(random() * loads.length)
    loads.fill(NaN, start, start + Math.ceil(logBetween(random, 1, 120)))
  }
}
