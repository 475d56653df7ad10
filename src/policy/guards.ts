import type { Decision, Forecast, Policy } from '../domain.ts'
import type { LoadWindow } from '../features/window.ts'
import { nextOutage, type Outage, type Possible } from './outage.ts'
import { nextSpike, type Spike } from './spike.ts'
import { spend, type Spending } from './budget.ts'

/** What the stages that guard against the unusual remember of one service. */
export interface Guards {
  readonly possible: Possible | null
  readonly outage: Outage | null
  readonly spike: Spike | null
  /** Since when the load has not been above what wakes the service; null while it is, or is not known. */
  readonly idleSince: number | null
  readonly spending: Spending | null
}

export const emptyGuards: Guards = { possible: null, outage: null, spike: null, idleSince: null, spending: null }

export interface Watched {
  readonly at: number
  readonly load: number | null
  readonly readyReplicas: number | null
  /** Wished for until now. */
  readonly replicas: number | null
  readonly fullCapacity: number | null
  /** Without the present load. */
  readonly window: LoadWindow | null
  readonly isUnusual: boolean
}

/** The guards after one more sample, before it is decided. */
export function watch (guards: Guards, watched: Watched, policy: Policy): Guards {
  const { at, load, readyReplicas, replicas } = watched
  const present = { ...watched, possible: guards.possible }
  const isIdle = load !== null && load <= (policy.idle?.activationLoad ?? 0)
  return {
    ...guards,
    outage: nextOutage(guards.outage, present, policy),
    spike: nextSpike(guards.spike, present, policy),
    idleSince: isIdle ? guards.idleSince ?? at : null,
    spending: policy.budget ? spend(guards.spending, { at, replicas: Math.max(readyReplicas ?? 0, replicas ?? 0) }, policy.budget) : null
  }
}

/** What the next load has to be compared with. */
export function expectFrom (guards: Guards, { asOf, forecast }: Decision): Guards {
  return forecast === null ? guards : { ...guards, possible: possibleBy(asOf, forecast) }
}

/** One in a million lies above `high`, by an exponential tail through the last quantiles. */
const impossible = 1e-6

function possibleBy (at: number, { quantiles }: Forecast): Possible {
  const last = quantiles[quantiles.length - 1]
  const inTail = quantiles.find(({ quantile }) => quantile >= 0.995)!
  const growth = inTail.load > 0 && last.load > inTail.load ? Math.log(last.load / inTail.load) / Math.log((1 - inTail.quantile) / (1 - last.quantile)) : 0
  return { at, low: quantiles[0].load, high: last.load * Math.exp(Math.min(50, growth * Math.log((1 - last.quantile) / impossible))) }
}
