/** What went wrong, in the words of the server. */
export class ApiError extends Error {
  readonly status: number

  constructor (status: number, message: string) {
    super(message)
    this.status = status
  }
}

let clockOffsetMs = 0
/** Epoch ms by the clock of the server: the reader's may be wrong. */
export const now = (): number => Date.now() + clockOffsetMs

/** @throws ApiError; status 0 when nobody answered. */
export async function ask<T> (path: string, { method = 'GET', body, signal }: { method?: string, body?: unknown, signal?: AbortSignal } = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, { method, signal, ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'prescale does not answer.')
  }
  noteClock(response)
  const answer = await response.json().catch(() => ({})) as { detail?: string, title?: string, errors?: { path: string, expected: string }[] }
  if (response.ok) return answer as T
  const details = (answer.errors ?? []).map(({ path, expected }) => `${path}: expected ${expected}`)
  throw new ApiError(response.status, [answer.detail ?? answer.title ?? `The answer was ${response.status}.`, ...details].join(' '))
}

/** The header has whole seconds; a difference of less than two may be nothing but the way. */
function noteClock (response: Response): void {
  const date = Date.parse(response.headers.get('date') ?? '')
  const difference = date + 500 - Date.now()
  if (Number.isFinite(difference)) clockOffsetMs = Math.abs(difference) < 2_000 ? 0 : difference
}

export const pathOf = (service: string): string => `/v1/services/${encodeURIComponent(service)}`
