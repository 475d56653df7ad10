import { clientHeaders } from '../config.ts'
import { PrescaleError, type ErrorDetail } from '../errors.ts'

interface Sent { readonly method: 'POST' | 'DELETE', readonly body?: unknown }

/**
 * Asks a running prescale, with the token of the environment.
 *
 * @throws PrescaleError `source-unreachable` with what it says instead of an answer.
 */
export async function ask<T> (url: string, path: string, sent?: Sent): Promise<T> {
  if (!URL.canParse(path, url)) throw new PrescaleError('invalid-request', `--url is ${JSON.stringify(url)}, expected an address such as http://127.0.0.1:8080`)
  const address = new URL(path, url)
  let response: Response
  try {
    const headers = { ...clientHeaders(), ...(sent?.body !== undefined && { 'content-type': 'application/json' }) }
    const body = sent?.body === undefined ? null : JSON.stringify(sent.body)
    response = await fetch(address, { method: sent?.method ?? 'GET', headers, body, signal: AbortSignal.timeout(30_000) })
  } catch (error) {
    throw new PrescaleError('source-unreachable', `${address.href} does not answer; is prescale running there? --url names another address.`, { cause: error })
  }
  const body = await response.json() as T & { title?: string, detail?: string, errors?: ErrorDetail[] }
  if (!response.ok) throw new PrescaleError('source-unreachable', `${address.href} answers ${response.status}: ${body.detail ?? body.title ?? ''}`, { details: body.errors ?? [] })
  return body
}
