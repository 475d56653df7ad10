import type { Decision, Verdict } from '../domain.ts'
import { h } from './dom.ts'
import { percent, short, words } from './format.ts'
import { severityBadge, sourceBadge, timeOf } from './widgets.ts'

/** Everything that led to one decision, in its order. */
export function whyDecision (decision: Decision): Node[] {
  const { rawRecommendations, adjustments, topFeatures, missingSignals, modelVersion, load, capacity, forecast, asOf, replicas, notices = [] } = decision
  const [chosen] = rawRecommendations
  return [
    h('p', { class: 'muted' }, 'On the sample of ', timeOf(asOf, { date: true }), load === null ? '; no load was known' : `: load ${short(load)}`, capacity === null ? '' : `, ${short(capacity)} for each replica`),
    h('h3', {}, 'What was recommended'),
    h('ol', { class: 'rules' }, ...rawRecommendations.map((one) => h('li', { class: one === chosen ? 'chosen' : '' },
      sourceBadge(one.source), h('strong', {}, String(one.replicas)), h('span', {}, one.reason, one === chosen ? h('em', {}, ' – followed') : null)))),
    h('h3', {}, 'What was made of it'),
    adjustments.length === 0
      ? h('p', {}, `Nothing: no rule changed the ${replicas}.`)
      : h('ol', { class: 'rules' }, ...adjustments.map(({ stage, from, to, reason }) => h('li', {}, h('span', { class: 'badge' }, stage), h('strong', {}, `${from} → ${to}`), h('span', {}, reason)))),
    ...notices.map((notice) => h('p', { class: 'warning' }, notice)),
    ...(forecast === null ? [] : [h('h3', {}, 'What was expected'), expectation(forecast), ...calibration(forecast)]),
    ...(topFeatures.length === 0 ? [] : [h('h3', {}, 'What weighs most in the forecast'), features(topFeatures)]),
    ...(missingSignals.length === 0 ? [] : [h('p', { class: 'warning' }, `Missing: ${missingSignals.map(words).join(', ')}`)]),
    h('p', { class: 'muted' }, modelVersion === 'none' ? 'No model had a part in it.' : `Model: ${modelVersion}${forecast?.reason === undefined ? '' : ` (${forecast.reason})`}`)
  ]
}

function expectation ({ quantiles, horizonSeconds }: NonNullable<Decision['forecast']>): HTMLElement {
  const shown = quantiles.filter(({ quantile }) => [0.05, 0.5, 0.95, 0.99].includes(quantile))
  return h('table', { class: 'small' }, h('caption', {}, `Largest load within ${short(horizonSeconds)} s`),
    h('tbody', {}, h('tr', {}, ...shown.map(({ quantile }) => h('th', { scope: 'col' }, percent(quantile)))), h('tr', {}, ...shown.map(({ load }) => h('td', {}, short(load))))))
}

/** Whether such forecasts could be believed so far. */
function calibration ({ calibration: known }: NonNullable<Decision['forecast']>): HTMLElement[] {
  if (known === undefined) return []
  const shares = known.coverage.map(({ quantile, share }) => `below the ${percent(quantile)} in ${percent(share)}`)
  return [h('p', { class: 'muted' }, `Of ${short(known.forecasts)} forecasts so far, the load stayed ${shares.join(', ')}.`)]
}

function features (list: Decision['topFeatures']): HTMLElement {
  const largest = Math.max(...list.map(({ importance }) => importance))
  return h('table', { class: 'small features' }, h('thead', { class: 'hidden' }, h('tr', {}, ...['Feature', 'Value', 'Importance'].map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, ...list.map(({ name, value, importance }) => h('tr', {},
      h('th', { scope: 'row' }, words(name)), h('td', {}, short(value)),
      h('td', {}, h('meter', { min: 0, max: largest, value: importance, 'aria-label': `importance ${percent(importance)}` }), ` ${percent(importance)}`)))))
}

export type PastVerdict = Pick<Verdict, 'score' | 'threshold' | 'severity'> & Partial<Pick<Verdict, 'causes' | 'maintenance' | 'missingSignals' | 'drift'>>

/** How the service behaves, what does not look as usual, and what that calls for. */
export function whyVerdict ({ score, threshold, severity, causes = [], maintenance, missingSignals = [], drift }: PastVerdict): Node[] {
  return [
    h('p', {}, severityBadge(severity), ` score ${score.toFixed(2)}, alarm from ${threshold.toFixed(2)}`),
    h('ul', { class: 'causes', hidden: causes.length === 0 }, ...causes.map(({ signal, value, expectedLow, expectedHigh, share }) => h('li', {},
      h('strong', {}, words(signal)), ` ${short(value)}, usually ${short(expectedLow)} to ${short(expectedHigh)}`, h('span', { class: 'muted' }, ` (${percent(share)} of the score)`)))),
    ...(maintenance === undefined || maintenance.action === 'no_action_needed' ? [] : [h('p', {}, h('strong', {}, words(maintenance.action)), ` (${percent(maintenance.probability)}): ${maintenance.reason}`)]),
    ...(drift?.reason ? [h('p', { class: 'muted' }, drift.reason)] : []),
    ...(missingSignals.length === 0 ? [] : [h('p', { class: 'muted' }, `Not measured: ${missingSignals.map(words).join(', ')}`)])
  ]
}
