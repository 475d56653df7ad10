import type { Decision, Policy, Recommendation } from '../domain.ts'
import { largestBetween } from '../features/window.ts'
import { chooseReplicas } from './choice.ts'
import { copyCluster, createCluster, obey, passStep, type Cluster, type StepOutcome } from './cluster.ts'
import type { RuleContest, Result, Rule, Shadow } from './rule-contest-state.ts'
import { contest as settings } from './defaults.ts'
import { leadSeconds } from './lead-time.ts'
import { hpaWish, type SavingsState } from './savings.ts'
import type { Outlook, Seen } from './scaling-state.ts'
import { replicasNeeded } from './stages.ts'
import { priceOf } from './steering.ts'

interface News {
  readonly decision: Decision
  readonly outlook: Outlook | null
  /** Before and after this step. */
  readonly savings: readonly [SavingsState | null, SavingsState | null]
}

/** "local/3" and "local/4" are of one kind. */
export const kindOf = (modelVersion: string) => modelVersion.split('/')[0]

/** Lets one step pass for all, and says who rules the next. Unchanged where no load is known or nobody forecasts. */
export function nextRuleContest (before: RuleContest | null, seen: Seen, { decision, outlook, savings: [earlier, now] }: News, policy: Policy): RuleContest | null {
  const { demand, fullCapacity, state } = seen
  if (outlook === null || demand.load === null || fullCapacity === null || now === null) return before
  const setting = { startUpSeconds: leadSeconds(state.leadTime, policy.startUpSeconds), stepSeconds: policy.stepSeconds }
  const load = demand.load / fullCapacity
  const model = kindOf(outlook.forecaster.version)
  const { steps, arrived, forecast, peak, hpa, ruling } = before?.model === model ? before : beginning(decision.replicas, setting)

  const ours = passed(forecast, load, setting)
  const theirs = passed(peak, load, setting)
  obey(ours.shadow.cluster, wishOfForecast(ours.shadow.wish, seen, { decision, outlook }, policy))
  obey(theirs.shadow.cluster, wishOfPeak(seen, policy))
  const sums = {
    model,
    steps: steps + 1,
    arrived: arrived * decay + ours.outcome.arrived,
    forecast: { ...ours.shadow, wish: wished(ours.shadow.cluster) },
    peak: { ...theirs.shadow, wish: wished(theirs.shadow.cluster) },
    hpa: {
      paid: hpa.paid * decay + now.hpa.tally.paid - (earlier?.hpa.tally.paid ?? 0),
      violating: hpa.violating * decay + now.hpa.tally.violating - (earlier?.hpa.tally.violating ?? 0)
    },
    last: ours.outcome
  }
  const price = priceOf(state.steering, policy, load)
  return { ...sums, ruling: steps < settings.warmUpSteps ? 'forecast' : rulingOf({ ...sums, ruling }, price, policy) }
}

const decay = 0.5 ** (1 / settings.halfLifeSteps)

function beginning (replicas: number, setting: { startUpSeconds: number, stepSeconds: number }) {
  const nothing = { paid: 0, violating: 0 }
  const shadow: Shadow = { ...nothing, cluster: createCluster(replicas, setting), wish: replicas }
  return { steps: 0, arrived: 0, forecast: shadow, peak: shadow, hpa: nothing, ruling: 'forecast' as Rule }
}

function passed (shadow: Shadow, load: number, setting: { startUpSeconds: number, stepSeconds: number }): { shadow: Shadow, outcome: StepOutcome } {
  const cluster = copyCluster(shadow.cluster, setting)
  const outcome = passStep(cluster, load, setting.stepSeconds)
  return { shadow: { cluster, wish: shadow.wish, paid: shadow.paid * decay + outcome.paid, violating: shadow.violating * decay + outcome.violating }, outcome }
}

function wished ({ ready, starting }: Cluster): number {
  return starting.reduce((sum, instances) => sum + instances, ready)
}

function wishOfForecast (current: number, seen: Seen, { decision, outlook }: { decision: Decision, outlook: Outlook }, policy: Policy): number {
  if (decision.source === 'forecast') return decision.replicas
  const instance = seen.fullCapacity!
  const load = seen.demand.load!
  const { replicas } = chooseReplicas(outlook, { instance, price: priceOf(seen.state.steering, policy, load / instance), current })
  return within(policy, Math.max(replicas, replicasNeeded(load, instance)))
}

function wishOfPeak ({ at, state: { window }, demand: { load }, fullCapacity }: Seen, policy: Policy): number {
  const largest = window === null ? NaN : largestBetween(window, at - settings.peakSeconds * 1000, at)
  return within(policy, replicasNeeded((1 + settings.peakHeadroom) * Math.max(largest || 0, load!), fullCapacity!))
}

const within = ({ minReplicas, maxReplicas }: Policy, replicas: number) => Math.min(maxReplicas, Math.max(minReplicas, replicas))

/** The cheapest of the rules that are better than the forecast; the forecast where none is. */
function rulingOf (contest: Omit<RuleContest, 'last'>, price: number, policy: Policy): Rule {
  let best: Rule = 'forecast'
  let least = Infinity
  for (const rule of ['hpa', 'peak'] as const) {
    const margin = 1 - (contest.ruling === rule ? settings.leastMargin : settings.margin)
    if (contest[rule].paid >= least || !isBetter(contest[rule], contest, { margin, price, policy })) continue
    best = rule
    least = contest[rule].paid
  }
  return best
}

/**
 * With money, who costs less. Else who is cheaper and violates no more: neither price is known, so a rule has to win in both. What a service
 * may violate does not count against anybody.
 */
function isBetter (rule: Result, { arrived, forecast }: Pick<RuleContest, 'arrived' | 'forecast'>,
  { margin, price, policy: { objective, violationTarget } }: { margin: number, price: number, policy: Policy }): boolean {
  if (objective !== undefined) return rule.paid + price * rule.violating < margin * (forecast.paid + price * forecast.violating)
  const allowed = violationTarget * arrived
  return rule.paid < margin * forecast.paid && Math.max(settings.caution * rule.violating, allowed) <= Math.max(forecast.violating, allowed)
}

const names = { hpa: 'HPA as it comes', peak: 'what the largest load of the last hour needs' }

/** What the rule that is better than the forecast asks for; null while the forecast rules. */
export function fromContest (contest: RuleContest | null, savings: SavingsState | null, seen: Seen, policy: Policy): Recommendation | null {
  if (contest === null || contest.ruling === 'forecast' || savings === null || seen.demand.load === null || seen.fullCapacity === null) return null
  const { ruling, forecast, arrived } = contest
  const replicas = ruling === 'hpa' ? hpaWish(savings, seen, policy).replicas : wishOfPeak(seen, policy)
  const percent = ({ violating }: Result) => `${(100 * violating / Math.max(arrived, 1e-9)).toPrecision(2)} %`
  const cheaper = Math.round(100 * (1 - contest[ruling].paid / forecast.paid))
  return {
    source: 'reactive',
    replicas,
    reason: `this load is hard to foresee: lately ${names[ruling]} took ${cheaper} % fewer instances than the forecast, with ${percent(contest[ruling])} of the requests violating instead of ${percent(forecast)}; ${replicas === 1 ? '1 replica' : `${replicas} replicas`}`
  }
}
