import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { isIP } from 'node:net'
import { Agent, request } from 'undici'
import { PrescaleError } from '../errors.ts'
import { configuredReach, type Reach } from './reach.ts'

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void
export type Lookup = (hostname: string, options: LookupOptions, callback: LookupCallback) => void

export interface OutboundRequest {
  /** Of everything, from the look-up of the name to the last byte. */
  readonly timeoutSeconds: number
  readonly maxBytes: number
  readonly headers?: Readonly<Record<string, string>>
  /** A form; it is sent with POST. */
  readonly form?: URLSearchParams
  /** A text in JSON; it is sent with POST. */
  readonly json?: string
}
export interface OutboundResponse { readonly status: number, readonly contentType: string | undefined, readonly body: Buffer }

/**
 * Fetches from addresses that a user gave: http and https only, never one that is out of reach (written out or resolved), no
 * redirects, bounded in time and size.
 */
export function createOutbound ({ lookup = systemLookup as Lookup, reach = () => configuredReach }: { lookup?: Lookup, reach?: () => Reach } = {}) {
  const agent = new Agent({ connect: { lookup: guard(lookup, reach) as never } })

  /** @throws PrescaleError `source-unreachable` with the reason; `invalid-request` for an address that is never fetched. */
  async function fetchBytes (address: string, { timeoutSeconds, maxBytes, headers, form, json }: OutboundRequest): Promise<OutboundResponse> {
    const url = checkAddress(address, reach())
    const signal = AbortSignal.timeout(Math.ceil(timeoutSeconds * 1000))
    try {
      const response = await request(url, {
        dispatcher: agent,
        signal,
        method: form || json !== undefined ? 'POST' : 'GET',
        body: json ?? form?.toString() ?? null,
        headers: { 'user-agent': 'prescale', ...(form && { 'content-type': 'application/x-www-form-urlencoded' }), ...(json !== undefined && { 'content-type': 'application/json' }), ...headers }
      })
      const body = await readBody(response.body, maxBytes)
      const contentType = response.headers['content-type']
      return { status: response.statusCode, contentType: Array.isArray(contentType) ? contentType[0] : contentType, body }
    } catch (error) {
      if (error instanceof PrescaleError) throw error
      const why = signal.aborted ? `there was no complete answer within ${timeoutSeconds} s` : reason(error)
      throw new PrescaleError('source-unreachable', `${url.origin} does not answer: ${why}.`, { cause: error })
    }
  }

  return { fetchBytes, close: () => agent.destroy() }
}
export type Outbound = ReturnType<typeof createOutbound>

/** @throws PrescaleError `invalid-request` for what is no address, or one that is out of reach as it is written. */
export function checkAddress (address: string, reach: Reach): URL {
  const url = URL.canParse(address) ? new URL(address) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new PrescaleError('invalid-request', `${JSON.stringify(address.slice(0, 200))} is no address that begins with http:// or https://.`)
  }
  // The parser has made 0xa9fe0001, 169.254.1 and the like into the usual form.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const refusal = reach.refuses(host, isIP(host) === 0 ? host : '')
  if (refusal !== null) throw blocked(host, refusal)
  return url
}

function blocked (host: string, refusal: string): PrescaleError {
  return new PrescaleError('invalid-request', `${host} ${refusal}.`)
}

/** All answers are looked at, so that a name cannot change its address between the look-up and the connection. */
function guard (lookup: Lookup, reach: () => Reach): Lookup {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const addresses = found as LookupAddress[]
      const refused = error
        ? []
        : addresses.flatMap(({ address }) => {
          const refusal = reach().refuses(address, hostname)
          return refusal === null ? [] : [blocked(`${hostname} (${address})`, refusal)]
        })
      if (error) callback(error, [])
      else if (refused.length > 0) callback(refused[0], [])
      else if (options.all) callback(null, addresses)
      else callback(null, addresses[0].address, addresses[0].family)
    })
  }
}

async function readBody (stream: AsyncIterable<Buffer> & { destroy (error?: Error): unknown }, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    length += chunk.length
    // Leaving the loop ends the stream, and with it the connection.
    if (length > maxBytes) throw new PrescaleError('source-unreachable', `The answer is larger than the limit maxBytes, which is ${maxBytes}.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}

function reason (error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  return message || code || 'the connection broke'
}
