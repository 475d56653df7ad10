import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import { Agent, request } from 'undici'
import { PrescaleError } from '../errors.ts'

/** Where clouds tell a machine its secrets. No exporter lives there; private addresses otherwise are where exporters do live. */
const metadataAddresses = new BlockList()
metadataAddresses.addSubnet('169.254.0.0', 16, 'ipv4')
metadataAddresses.addAddress('100.100.100.200', 'ipv4')
metadataAddresses.addAddress('fd00:ec2::254', 'ipv6')

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void
export type Lookup = (hostname: string, options: LookupOptions, callback: LookupCallback) => void

export interface OutboundRequest {
  /** Of everything, from the look-up of the name to the last byte. */
  readonly timeoutSeconds: number
  readonly maxBytes: number
  readonly headers?: Readonly<Record<string, string>>
  /** A form; it is sent with POST. */
  readonly form?: URLSearchParams
}
export interface OutboundResponse { readonly status: number, readonly contentType: string | undefined, readonly body: Buffer }

/**
 * Fetches from addresses that a user gave: http and https only, never an address of cloud metadata (written out or resolved), no
 * redirects, bounded in time and size.
 */
export function createOutbound ({ lookup = systemLookup as Lookup }: { lookup?: Lookup } = {}) {
  const agent = new Agent({ connect: { lookup: guard(lookup) as never } })

  /** @throws PrescaleError `source-unreachable` with the reason; `invalid-request` for an address that is never fetched. */
  async function fetchBytes (address: string, { timeoutSeconds, maxBytes, headers, form }: OutboundRequest): Promise<OutboundResponse> {
    const url = checkAddress(address)
    const signal = AbortSignal.timeout(Math.ceil(timeoutSeconds * 1000))
    try {
      const response = await request(url, {
        dispatcher: agent,
        signal,
        method: form ? 'POST' : 'GET',
        body: form?.toString() ?? null,
        headers: { 'user-agent': 'prescale', ...(form && { 'content-type': 'application/x-www-form-urlencoded' }), ...headers }
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

function checkAddress (address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new PrescaleError('invalid-request', `${JSON.stringify(address.slice(0, 200))} is no address that begins with http:// or https://.`)
  }
  // The parser has made 0xa9fe0001, 169.254.1 and the like into the usual form.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && isMetadataAddress(host)) throw blocked(host)
  return url
}

function isMetadataAddress (address: string): boolean {
  return metadataAddresses.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

function blocked (host: string): PrescaleError {
  return new PrescaleError('invalid-request', `${host} is an address of cloud metadata, which is never fetched.`)
}

/** All answers are looked at, so that a name cannot change its address between the look-up and the connection. */
function guard (lookup: Lookup): Lookup {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const addresses = found as LookupAddress[]
      const forbidden = error ? undefined : addresses.find(({ address }) => isMetadataAddress(address))
      if (error) callback(error, [])
      else if (forbidden) callback(blocked(`${hostname} (${forbidden.address})`), [])
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
