import type { AnomalyRules, Behavior, Override, Policy, ServiceMode, SignalRule, Target } from './domain.ts'
import type { ErrorDetail } from './errors.ts'
import { checkMatch, checkSignals } from './ingest/mapping.ts'
import { defaultBehavior } from './policy/defaults.ts'
import { kubernetesBehavior } from './policy/hpa.ts'
import { checkGuards, toGuards } from './config-policy.ts'
import { checkTuning, toTuning } from './config-tuning.ts'
import { sections, serviceSettingsSchema, withDefaults, type ServiceSettings } from './config-schema.ts'

const defaultUtilization = 0.7
/** Signals that say how well a service does, not how much work it has. */
const notALoad = new Set(['errorRatio', 'responseTimeSeconds', 'readyReplicas'])

/** What the core is told about a service with these (already merged and checked) settings. */
export function toPolicy (settings: ServiceSettings, { demo = false }: { demo?: boolean } = {}): Policy {
  const filled = withDefaults(serviceSettingsSchema, settings)
  return {
    mode: filled.mode as ServiceMode,
    minReplicas: filled.minReplicas,
    maxReplicas: filled.maxReplicas,
    target: toTarget(filled.target),
    startUpSeconds: filled.startUpSeconds,
    stepSeconds: filled.stepSeconds,
    seasonSeconds: filled.seasonSeconds,
    violationTarget: filled.violationTarget,
    ...(settings.objective && { objective: settings.objective }),
    behavior: toBehavior(settings.behavior),
    ...(settings.behavior && { hpaBehavior: toBehavior(settings.behavior) }),
    holdSeconds: filled.holdSeconds,
    decisionTtlSeconds: settings.decisionTtlSeconds ?? Math.max(60, 3 * filled.stepSeconds),
    falseAlarmsPerWeek: filled.falseAlarmsPerWeek,
    anomalies: toAnomalyRules(settings.anomalies),
    ...(settings.tuning && { tuning: toTuning(settings.tuning) }),
    ...(settings.override && { override: toOverride(settings.override) }),
    ...(settings.overrides && { overrides: settings.overrides.map(toOverride) }),
    ...toGuards(settings),
    ...(demo && { demo })
  }
}

function toTarget (target: NonNullable<ServiceSettings['target']>): Target {
  if (target === 'auto') return { kind: 'auto', utilization: defaultUtilization }
  const { utilization = defaultUtilization, ...signals } = target
  const [entry] = Object.entries(signals)
  if (entry === undefined) return { kind: 'auto', utilization }
  const [signal, atTarget] = entry
  return signal.endsWith('Ratio') ? { kind: 'ratio', signal, atTarget } : { kind: 'perReplica', signal, atTarget, utilization }
}

/** Nothing said: our defaults. Something said: what Kubernetes fills in around it. */
function toBehavior (behavior: ServiceSettings['behavior']): Behavior {
  if (behavior === undefined) return defaultBehavior
  return { scaleUp: { ...kubernetesBehavior.scaleUp, ...behavior.scaleUp }, scaleDown: { ...kubernetesBehavior.scaleDown, ...behavior.scaleDown } }
}

type SignalSettings = NonNullable<NonNullable<ServiceSettings['anomalies']>['signals']>[string]

function toAnomalyRules (anomalies: ServiceSettings['anomalies']): AnomalyRules {
  const { signals: _, ...times } = withDefaults(sections.anomalies, anomalies)
  const signals = Object.entries(anomalies?.signals ?? {}).map(([signal, rule]) => [signal, toSignalRule(rule)])
  return { ...times, signals: Object.fromEntries(signals) }
}

function toSignalRule (settings: SignalSettings): SignalRule {
  const { direction, minimumDeviation } = withDefaults(sections.signalRule, settings)
  const least = typeof minimumDeviation === 'number' ? { absolute: minimumDeviation } : { relative: Number.parseFloat(minimumDeviation) / 100 }
  return { direction: direction as SignalRule['direction'], minimumDeviation: least, limit: settings.limit ?? null }
}

function toOverride (override: NonNullable<ServiceSettings['override']>): Override {
  const { reason = 'set by an operator', until } = override
  const rest = { reason, ...(until !== undefined && { until: Date.parse(until) }) }
  if ('force' in override) return { kind: 'force', replicas: override.force, ...rest }
  return { kind: 'pause' in override ? 'pause' : 'outage' in override ? 'outage' : 'hold', ...rest }
}

/** What a schema cannot say: the rules between the keys of one service, `defaults` included. */
export function checkSettings (own: ServiceSettings, defaults: ServiceSettings, path: string): ErrorDetail[] {
  const at = (key: string) => path === '' ? key : `${path}.${key}`
  const details = [...checkMatch(own.match, at('match')), ...checkSignals(own.signals ?? [], at('signals')), ...checkGuards(own, { ...defaults, ...own }, at), ...checkTuning(own.tuning, (key) => at(`tuning.${key}`))]
  const { minReplicas, maxReplicas, target } = withDefaults(serviceSettingsSchema, { ...defaults, ...own })
  if (minReplicas > maxReplicas) {
    const key = own.minReplicas === undefined ? 'maxReplicas' : 'minReplicas'
    details.push({ path: at(key), value: own[key], expected: key === 'minReplicas' ? `at most maxReplicas, which is ${maxReplicas}` : `at least minReplicas, which is ${minReplicas}` })
  }
  if (own.target !== undefined && target !== 'auto') details.push(...checkTarget(target, at('target')))
  return details
}

function checkTarget (target: Record<string, number>, path: string): ErrorDetail[] {
  const { utilization, ...signals } = target
  const names = Object.keys(signals)
  const details: ErrorDetail[] = []
  const say = (key: string | null, value: unknown, expected: string) => details.push({ path: key === null ? path : `${path}.${key}`, value, expected })
  if (names.length > 1) say(null, target, `one signal, not ${names.length}: ${names.join(', ')}`)
  for (const name of names) {
    if (notALoad.has(name)) say(name, signals[name], 'a signal that grows with the work, such as requestsPerSecond or cpuUsageRatio')
    else if (name.endsWith('Ratio') && signals[name] > 1) say(name, signals[name], 'a ratio above 0 and at most 1')
  }
  if (utilization > 1) say('utilization', utilization, 'a share above 0 and at most 1')
  else if (utilization !== undefined && names.some((name) => name.endsWith('Ratio'))) say('utilization', utilization, 'no utilization beside a ratio, which is one already')
  return details
}
