/** Numbers and times for people. Nothing here touches the page, so that it can be tested without one. */

const units: readonly (readonly [number, string])[] = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]

/** Three digits: 1142 is 1.14k, 0.12345 is 0.123. */
export function short (value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  const [scale, unit] = units.find(([least]) => Math.abs(value) >= 10 * least) ?? [1, '']
  return `${Number((value / scale).toPrecision(Math.abs(value / scale) >= 1000 ? 4 : 3))}${unit}`
}

export function percent (share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`
}

/** 12 s, 3 min, 2 h, 5 d. */
export function duration (seconds: number): string {
  const s = Math.max(0, seconds)
  if (s < 99.5) return `${Math.round(s)} s`
  if (s < 99.5 * 60) return `${Math.round(s / 60)} min`
  if (s < 48 * 3600) return `${Math.round(s / 3600)} h`
  return `${Math.round(s / 86_400)} d`
}

/** In the zone of the reader. */
export function clock (at: number, { date = false } = {}): string {
  const options: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', ...(date && { month: 'short', day: 'numeric' }) }
  return new Intl.DateTimeFormat(undefined, { ...options, hourCycle: 'h23' }).format(at)
}

export function utc (at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace(/\.\d+Z$/, ' UTC')
}

/** camelCase as words: responseTimeSeconds is "response time seconds". */
export function words (name: string): string {
  return name.replaceAll(/(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])/g, ' ').replaceAll('_', ' ').toLowerCase()
}

export function csv (header: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const cell = (value: string | number | null) => value === null ? '' : typeof value === 'number' ? String(value) : /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
  return [header, ...rows].map((row) => row.map(cell).join(',')).join('\n') + '\n'
}
