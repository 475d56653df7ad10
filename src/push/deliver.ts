import type { AlertmanagerTarget, PushTarget, WebhookTarget } from '../config-adapters.ts'
import { PrescaleError } from '../errors.ts'
import type { Outbound } from '../ingest/outbound.ts'
import type { Delivery } from '../store/push-queue.ts'
import type { PushStore } from '../store/push-store.ts'
import { alertsFor, type Alert } from './alertmanager.ts'
import type { Change, PushState } from './changes.ts'
import { shownAddress, targetId } from './targets.ts'
import { webhookBody, webhookHeaders } from './webhook.ts'

interface DeliverOptions {
  readonly targets: () => readonly PushTarget[]
  readonly store: Pick<PushStore<PushState>, 'state'>
  readonly outbound: Pick<Outbound, 'fetchBytes'>
  readonly now: () => number
}

const maxAnswerBytes = 1_048_576
/** Answers of other statuses from 300 on say that the message itself is refused, and it will be the next time as well. */
const worthAnotherTry = new Set([408, 425, 429])

export function createDeliver ({ targets, store, outbound, now }: DeliverOptions) {
  /** @throws PrescaleError `invalid-request` when trying again is of no use, any other error when it is. */
  async function deliver ({ id, target: wanted, payload }: Omit<Delivery, 'attempts'>): Promise<void> {
    const target = targets().find((one) => targetId(one) === wanted)
    if (!target) throw new PrescaleError('invalid-request', `The target ${wanted} is not in the configuration any more.`)
    const change = payload as Change
    if (target.kind === 'webhook') return await sendWebhook(target, id, change)
    if (await isPast(change)) return
    await postAlerts(target, alertsFor(change, { now: now(), labels: target.labels }))
  }

  async function sendWebhook (target: WebhookTarget, id: string, change: Change): Promise<void> {
    const json = webhookBody(change)
    await post(target, target.url, { json, headers: webhookHeaders({ secret: target.secret, id: `msg_${id}`, at: now(), body: json }) })
  }

  /** A message that comes late must not open an alert again whose incident is over. */
  async function isPast (change: Change): Promise<boolean> {
    if (change.kind !== 'incident.opened' && change.kind !== 'incident.escalated') return false
    const state = await store.state(change.service)
    return state?.incident?.id !== change.incident.id
  }

  async function postAlerts (target: AlertmanagerTarget, alerts: readonly Alert[]): Promise<void> {
    if (alerts.length === 0) return
    await post(target, `${target.url.replace(/\/+$/, '')}/api/v2/alerts`, { json: JSON.stringify(alerts) })
  }

  async function post (target: PushTarget, url: string, message: { json: string, headers?: Record<string, string> }): Promise<void> {
    const { status } = await outbound.fetchBytes(url, { ...message, timeoutSeconds: target.timeoutSeconds, maxBytes: maxAnswerBytes })
    if (status >= 200 && status < 300) return
    const isFinal = status < 500 && !worthAnotherTry.has(status)
    throw new PrescaleError(isFinal ? 'invalid-request' : 'source-unreachable', `${shownAddress(target)} answered ${status}.`)
  }

  return { deliver, postAlerts }
}
