import type { Point } from '../../src/domain.ts'

/** `series('http_requests_total', { code: '200' })(15, 100)`: the value 100 at second 15. */
export function series (metric: string, labels: Record<string, string> = {}) {
  return (atSeconds: number, value: number): Point => ({ metric, labels: Object.entries(labels), at: atSeconds * 1000, value })
}

/** The marker that a series ended. */
export function stale (metric: string, labels: Record<string, string> = {}) {
  return (atSeconds: number): Point => ({ ...series(metric, labels)(atSeconds, NaN), stale: true })
}
