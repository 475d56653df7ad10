import type { CanarySuggestion, ExpectedPerformance, ParameterValue, Suggestion } from '../domain.ts'
import { short, words } from './format.ts'

const sources: Readonly<Record<Suggestion['source'], string>> = { network: 'the network', results: 'what results taught', bluefin: 'the two-point method' }

export const valueText = (value: ParameterValue, unit?: string) => `${typeof value === 'number' ? short(value) : String(value)}${unit === undefined ? '' : ` ${unit}`}`

const signed = (value: number) => `${value > 0 ? '+' : ''}${short(value)}`

/** "Expected 63.2 (60.1 to 66.3), +4.1 over the defaults (+1 to +7.2)." */
export function expectedText ({ performance, low, high, gain, gainLow, gainHigh }: ExpectedPerformance): string {
  return `Expected ${short(performance)} (${short(low)} to ${short(high)}), ${signed(gain)} over the defaults (${signed(gainLow)} to ${signed(gainHigh)}).`
}

/** "From what results taught: 212 observations, 14 of them nearby." */
export function evidenceText ({ source, observations, observationsNearby }: Suggestion): string {
  const nearby = observationsNearby === undefined || observationsNearby === 0 ? '' : `, ${observationsNearby} of them nearby`
  return `From ${sources[source]}: ${observations} observation${observations === 1 ? '' : 's'}${nearby}.`
}

/** "One instance tries workers 12, codec gzip." */
export function canaryText ({ kind, changed }: CanarySuggestion): string {
  const values = changed.map(({ name, to, unit }) => `${words(name)} ${valueText(to, unit)}`).join(', ')
  return kind === 'proof' ? `One instance runs the defaults, so that the gain is measured: ${values}.` : `One instance tries ${values}.`
}

/** What to set to go back: the parameters that would change. */
export function undoText ({ changed }: Suggestion): string {
  return `To undo it: ${changed.map(({ name, from, unit }) => `${words(name)} ${valueText(from, unit)}`).join(', ')}.`
}
