import type { Point } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { acceptHeader, expositionFormat, parseExposition } from './exposition.ts'
import type { SeriesLimits } from './limits.ts'
import type { Outbound } from './outbound.ts'

export interface ScrapeTarget {
  readonly url: string
  readonly timeoutSeconds: number
  readonly maxBytes: number
  /** Put on every series; `instance` is the host and port of the address where it is not given. */
  readonly labels?: Readonly<Record<string, string>>
  readonly limits?: Partial<SeriesLimits>
}

export interface Scrape {
  /** Those of the exporter and then `up`, which is 1; or `up` alone, which is 0. */
  readonly points: Point[]
  /** Why the target is down; null when it is up. */
  readonly reason: string | null
}

/**
 * Scrapes one exporter. A target that fails is a finding and no error: `up` is 0, so that its series end instead of standing still.
 *
 * @param at epoch ms, the time of all points that carry none themselves.
 */
export async function fetchExposition (target: ScrapeTarget, at: number, { fetchBytes }: Pick<Outbound, 'fetchBytes'>): Promise<Scrape> {
  const labels = targetLabels(target)
  const up = (value: 0 | 1): Point => ({ metric: 'up', labels, at, value })
  try {
    const { status, contentType, body } = await fetchBytes(target.url, { ...target, headers: { accept: acceptHeader } })
    if (status !== 200) throw new PrescaleError('source-unreachable', `The target answers with status ${status}${isRedirect(status) ? ', and redirects are not followed' : ''}.`)
    const points = parseExposition(body, { format: expositionFormat(contentType), at, limits: target.limits })
    return { points: [...points.map((point) => ({ ...point, labels: withTarget(point.labels, labels) })), up(1)], reason: null }
  } catch (error) {
    if (!(error instanceof PrescaleError)) throw error
    return { points: [up(0)], reason: error.message }
  }
}

function isRedirect (status: number): boolean {
  return status >= 300 && status < 400
}

function targetLabels ({ url, labels = {} }: ScrapeTarget): [string, string][] {
  return Object.entries({ ...labels, instance: labels.instance ?? (URL.canParse(url) ? new URL(url).host : url) })
}

/** The target's labels win; what the exporter called the same becomes `exported_…`, as in Prometheus (honor_labels: false). */
function withTarget (own: Point['labels'], target: readonly [string, string][]): Point['labels'] {
  const taken = new Set(target.map(([name]) => name))
  const kept = own.map(([name, value]): [string, string] => [taken.has(name) ? freeName(name, own) : name, value])
  return [...kept, ...target]
}

function freeName (name: string, labels: Point['labels']): string {
  let free = `exported_${name}`
  while (labels.some(([known]) => known === free)) free = `exported_${free}`
  return free
}
