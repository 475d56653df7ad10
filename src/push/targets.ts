import { createHash } from 'node:crypto'
import type { PushTarget } from '../config-adapters.ts'
import type { Delivery } from '../store/push-queue.ts'
import type { Change } from './changes.ts'

/** Names a target without saying its address, which may hold a token. */
export function targetId ({ kind, url }: Pick<PushTarget, 'kind' | 'url'>): string {
  return `${kind}-${digest(url).slice(0, 12)}`
}

/** The address as people may see it. */
export function shownAddress ({ url }: Pick<PushTarget, 'url'>): string {
  const { origin, pathname } = new URL(url)
  return pathname.length > 1 ? `${origin}/…` : origin
}

export function wants (target: PushTarget, { kind, service }: Change): boolean {
  if (target.services !== null && !target.services.includes(service)) return false
  return target.kind === 'alertmanager' ? kind.startsWith('incident.') : target.events.includes(kind)
}

/** One message for every target that wants the change; the same change makes the same ids again. */
export function deliveriesFor (change: Change, targets: readonly PushTarget[]): Delivery[] {
  return targets.filter((target) => wants(target, change)).map((target) => {
    const own = targetId(target)
    // Between two samples there may be several suggestions.
    const what = change.kind === 'suggestion.changed' ? [change.config, change.suggestion.canary?.config] : []
    const id = digest(JSON.stringify([own, change.kind, change.service, change.at, ...what])).slice(0, 32)
    return { id, target: own, payload: change, attempts: target.attempts }
  })
}

function digest (text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
