import type { Maintenance, MaintenanceAction, Severity, Signals } from '../domain.ts'

export interface Condition {
  readonly severity: Severity
  /** How long the alarm has been on; 0 while it is off. */
  readonly alarmSeconds: number
  readonly signals: Signals
  readonly missingSignals: readonly string[]
  /** The signal that reaches its limit first if its trend goes on; null if none does. */
  readonly saturation: { readonly signal: string, readonly secondsLeft: number } | null
}

/**
 * Evidence that maintenance is needed, each as a probability by itself.
 *
 * | evidence | probability |
 * |---|---|
 * | severity low, medium, high, critical | 0.15, 0.40, 0.65, 0.85 |
 * | an alarm that lasts | 0.30 × hours, at most 0.30 |
 * | CPU above 90 % | 0.30 |
 * | memory above 85 % | 0.30 |
 * | a limit reached within 1 h, 6 h, 24 h | 0.50, 0.30, 0.20 |
 * | signals that were measured before are missing | 0.25 |
 *
 * They combine as independent reasons (noisy or): p = 1 − Π (1 − pᵢ). CPU and memory have the limits of the original rule; both together
 * call for planned maintenance even where nothing is anomalous: 1 − 0.7² = 0.51.
 */
const severityWeight: Readonly<Record<Severity, number>> = { none: 0, low: 0.15, medium: 0.4, high: 0.65, critical: 0.85 }
const persistence = { perHour: 0.3, most: 0.3 }
const limits = [
  { signal: 'cpuUsageRatio', above: 0.9, weight: 0.3, name: 'CPU' },
  { signal: 'memoryUsageRatio', above: 0.85, weight: 0.3, name: 'memory' }
] as const
const saturations = [{ withinHours: 1, weight: 0.5 }, { withinHours: 6, weight: 0.3 }, { withinHours: 24, weight: 0.2 }] as const

const missingWeight = 0.25

/** From this probability on; the first that fits, from the top. */
const actions: readonly (readonly [number, MaintenanceAction])[] = [
  [0.75, 'immediate_maintenance'], [0.5, 'planned_maintenance'], [0.2, 'monitor_closely'], [0, 'no_action_needed']
]

/** What the state of a service calls for, how surely, and why. */
export function maintenanceFor ({ severity, alarmSeconds, signals, missingSignals, saturation }: Condition): Maintenance {
  const evidence: { weight: number, reason: string }[] = []
  if (severity !== 'none') evidence.push({ weight: severityWeight[severity], reason: `anomaly of severity ${severity}` })
  if (alarmSeconds > 0) {
    evidence.push({ weight: Math.min(persistence.most, persistence.perHour * alarmSeconds / 3600), reason: `anomalous for ${duration(alarmSeconds)}` })
  }
  for (const { signal, above, weight, name } of limits) {
    if (signals[signal] > above) evidence.push({ weight, reason: `${name} at ${percent(signals[signal])}, above ${percent(above)}` })
  }
  const near = saturation && saturations.find(({ withinHours }) => saturation.secondsLeft <= withinHours * 3600)
  if (saturation && near) evidence.push({ weight: near.weight, reason: `${saturation.signal} reaches its limit in ${duration(saturation.secondsLeft)}` })
  if (missingSignals.length > 0) evidence.push({ weight: missingWeight, reason: `missing: ${missingSignals.join(', ')}` })

  const combined = 1 - evidence.reduce((none, { weight }) => none * (1 - weight), 1)
  // 1 − 0.8 is a little less than 0.2.
  const probability = Math.round(combined * 1e6) / 1e6
  const [, action] = actions.find(([from]) => probability >= from)!
  const reason = evidence.sort((a, b) => b.weight - a.weight).map(each => each.reason).join('; ')
  return { action, probability, reason: reason || 'nothing unusual' }
}

const percent = (ratio: number) => `${Math.round(ratio * 100)} %`

function duration (seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3600)} h`
}
