/** Every error that a user may meet: its code (also the end of its problem type), its HTTP status, its title. */
export const errorList = {
  'invalid-request': { status: 400, title: 'The request is not what this address expects.' },
  'limit-exceeded': { status: 400, title: 'A limit was exceeded.' },
  'invalid-config': { status: 400, title: 'The configuration is not valid.' },
  unauthorized: { status: 401, title: 'A token is needed.' },
  forbidden: { status: 403, title: 'This is not allowed to the one who asks.' },
  'not-found': { status: 404, title: 'There is nothing here.' },
  'unknown-service': { status: 404, title: 'No such service.' },
  'method-not-allowed': { status: 405, title: 'This address does not take that method.' },
  conflict: { status: 409, title: 'The request contradicts the present state.' },
  'body-too-large': { status: 413, title: 'The body is too large.' },
  'unsupported-media-type': { status: 415, title: 'This media type or encoding is not understood.' },
  'too-many-requests': { status: 429, title: 'Too many requests; send fewer.' },
  internal: { status: 500, title: 'This is our fault.' },
  'no-opinion': { status: 503, title: 'There is no valid opinion now.' },
  'not-acting': { status: 503, title: 'The decisions for this service are not handed out.' },
  overloaded: { status: 503, title: 'The queue is full; send it again later.' },
  'store-unavailable': { status: 503, title: 'Redis does not answer.' },
  'not-ready': { status: 503, title: 'The service is not ready.' },
  'model-format': { status: 500, title: 'The model file cannot be used.' },
  'source-unreachable': { status: 502, title: 'A metric source does not answer.' }
} as const

export type ErrorCode = keyof typeof errorList

/** Where the offending value stands, what it was and what was expected instead. */
export interface ErrorDetail { readonly path: string, readonly value?: unknown, readonly expected: string }

export class PrescaleError extends Error {
  readonly code: ErrorCode
  readonly details: readonly ErrorDetail[]

  constructor (code: ErrorCode, message: string, { details = [], cause }: { details?: readonly ErrorDetail[], cause?: unknown } = {}) {
    super(message, { cause })
    this.name = 'PrescaleError'
    this.code = code
    this.details = details
  }

  get status (): number { return errorList[this.code].status }
}
