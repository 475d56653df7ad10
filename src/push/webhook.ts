import { createHmac } from 'node:crypto'
import type { Change } from './changes.ts'

/** The text that is sent and signed: `{ type, timestamp, data }`, as Standard Webhooks recommends. */
export function webhookBody ({ kind, at, ...data }: Change): string {
  return JSON.stringify({ type: kind, timestamp: new Date(at).toISOString(), data })
}

export interface SignInput { readonly secret: string, readonly id: string, readonly at: number, readonly body: string }

/**
 * Headers that prove where a message comes from and when it was sent: HMAC-SHA256 over `id.timestamp.body`. The id stays the same when
 * a message is sent again.
 *
 * @param at epoch ms of this attempt; receivers refuse what is too old.
 * @param secret text, or `whsec_` and base64.
 * @see https://www.standardwebhooks.com, whose libraries verify it.
 */
export function webhookHeaders ({ secret, id, at, body }: SignInput): Record<string, string> {
  const seconds = Math.floor(at / 1000)
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret)
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` }
}
