import { PrescaleError } from '../../errors.ts'

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 }

/** `1h30m` in ms; NaN if it is no duration. */
export function parseDuration (text: string): number {
  if (!/^(?:\d+(?:ms|[smhdwy]))+$/.test(text)) return NaN
  return [...text.matchAll(/(\d+)(ms|[smhdwy])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * unitMs[unit], 0)
}

/** Seconds since 1970 or RFC 3339, as ms since 1970. */
export function readTime (name: string, text: string | null, preset?: number): number {
  if (text === null || text === '') {
    if (preset !== undefined) return preset
    throw invalid(name, text, 'a time')
  }
  const seconds = Number(text)
  const ms = Number.isFinite(seconds) && text.trim() !== '' ? seconds * 1000 : /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(ms) || Math.abs(ms) > 8.64e15) throw invalid(name, text, 'seconds since 1970 or RFC 3339')
  return Math.round(ms)
}

/** A number of seconds or a duration such as `15s`, in ms. */
export function readStep (text: string | null): number {
  const seconds = Number(text)
  const ms = text !== null && text.trim() !== '' && Number.isFinite(seconds) ? seconds * 1000 : parseDuration(text ?? '')
  if (!(ms > 0)) throw invalid('step', text, 'a duration above 0 such as 15s')
  return Math.max(1, Math.round(ms))
}

function invalid (name: string, value: string | null, expected: string): PrescaleError {
  return new PrescaleError('invalid-request', `invalid parameter "${name}": ${value === null || value === '' ? 'it is missing' : `cannot parse ${JSON.stringify(value.slice(0, 100))}`}, expected ${expected}`)
}
