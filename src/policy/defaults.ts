import type { Behavior } from '../domain.ts'
import { kubernetesBehavior } from './hpa.ts'

/**
 * The one home of the numbers that the policy was tuned to. Each was chosen as one fixed value for all services, by replaying traces
 * of web, cluster and social load; where a value hardly matters, a round one was taken.
 */

/**
 * Scaling rules where an operator gives none: those of HPA, but scale-in is held for one minute only. HPA's five are for a rule
 * that sees nothing coming; a forecast that already looks past the start-up time needs them only against flapping.
 */
export const defaultBehavior: Behavior = {
  ...kubernetesBehavior,
  scaleDown: { ...kubernetesBehavior.scaleDown, stabilizationWindowSeconds: 60 }
}

/** How the price of a violating request against an instance is found and steered (see steering.ts). */
export const steering = {
  /**
   * About what meets a target of 1 % on smooth load. A target ten times stricter begins 25 times dearer: its violations are too few to
   * learn from. A laxer one does not begin cheaper: it is asked for where bursts come, and those are dear.
   */
  firstPrice: 2.5,
  firstPriceAt: 0.01,
  strictness: 1.4,
  /** How much one step of nothing but violations raises the logarithm of the price. More swings with every unforeseeable spike. */
  gain: 0.045,
  /** More while the service is new: begins seven times higher, and half of that is gone after so many steps. */
  earlyGain: 0.3,
  earlySteps: 300,
  /** The price rises by this factor at most: what that cannot mend, no price mends. */
  mostRise: 100,
  /**
   * It falls by this factor at most. Where minReplicas, a schedule or the present load keep more than the forecast wants, nothing violates however low it
   * is, and it would have to be found anew when they no longer do. No trace asks for less.
   */
  mostFall: 5
} as const

/**
 * What a change has to save, violations counted at their price: so much of an instance, and this share of what runs. Without it a third more changes
 * came, at a higher cost; from 0.8 of an instance on, services of a few keep one too many.
 */
export const leastSaving = { ofInstance: 0.35, share: 0.025 } as const
/** When a simple rule is put in the forecast's place (see rule-contest.ts). */
export const contest = {
  /** Of what is compared; less follows chance, more is slow to see that a forecast has become bad. */
  halfLifeSteps: 1000,
  /** Half a day of minutes: before, the price of violations is still being found. */
  warmUpSteps: 720,
  /** Cheaper by this share to begin with, and by this one to go on. */
  margin: 0.1,
  leastMargin: 0.05,
  /** A rule that nobody steers may violate so many times more than it did of late. */
  caution: 1.25,
  /** The rule of the largest load: of so long, and so much more. */
  peakSeconds: 3600,
  peakHeadroom: 0.05
} as const

/** Scale-in that frees less than this share of the replicas is not worth a change. */
export const stickyShare = 0.05

/** Where nothing is configured: an hour covers most outages, and costs at most an hour of what ran before. */
export const defaultOutageHold = { ttlSeconds: 3600 }
/** How a collapse of the load is told from a fall (see outage.ts). */
export const outage = {
  /** Of what was expected at least; a load below is a collapse. */
  collapseShare: 0.2,
  /** From this share on it counts as back. */
  backShare: 0.5,
  /** Without a forecast, the smallest of so many steps is compared. */
  recentSteps: 15,
  /** What was expected so many steps ago says nothing any more. */
  freshSteps: 5,
  /** A fall within so many steps of this time of a former season makes a fall ordinary. */
  aroundSteps: 15
} as const

/** Less than the doubling that HPA allows a step; what lasts for three samples is there. */
export const defaultSpikeCap = { factor: 1.5, steps: 3 }
/** How an impossible load is told from a burst (see spike.ts): no burst of the traces comes near. */
export const spike = { timesLargest: 10, freshSteps: 5 } as const

/** Where no replicas may run and nothing else is configured. */
export const defaultIdle = { activationLoad: 0, idleSeconds: 300 }
/** A forecast of less than this share of one instance wakes nobody. */
export const wakingShare = 0.1

/** When a model that was learned from one service takes over there, and when it falls back (see model-contest.ts). */
export const takeOver = {
  /** Its loss must be smaller by this share: what a new model gains by luck is less. */
  margin: 0.03,
  /** Forecasts that must have come due before: three hours of minutes in shadow, six as a canary. */
  shadowForecasts: 180,
  canaryForecasts: 360,
  /** So soon it may fall back. */
  leastForecasts: 60,
  /** One that is active falls back when its loss is larger by this share; a canary at once when it is larger. */
  slack: 0.02,
  /** Losses are means over about so many forecasts. */
  memory: 500
} as const
