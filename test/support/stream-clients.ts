import { request, type IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'

export interface Heard { readonly id: string, readonly event: string, readonly data: Record<string, any> }

/** A client of GET /v1/stream that keeps what it hears; `pause` makes it stop reading from its socket. */
export async function openEventSource (url: string, { lastEventId }: { lastEventId?: string } = {}) {
  const heard: Heard[] = []
  let comments = 0
  let id = ''
  let rest = ''
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId }, agent: false }, resolve).on('error', reject).end()
  })
  let ended = false
  response.on('close', () => { ended = true })
  response.setEncoding('utf8')
  response.on('error', () => {})
  response.on('data', (chunk: string) => {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop()!
    for (const block of blocks) read(block)
  })
  const read = (block: string) => {
    const lines = block.split('\n')
    const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
    if (block.startsWith(':')) comments++
    id = field('id') ?? id
    const data = field('data')
    if (data !== undefined) heard.push({ id, event: field('event') ?? 'message', data: JSON.parse(data) as Record<string, any> })
  }
  return {
    status: response.statusCode,
    type: response.headers['content-type'],
    heard,
    of: (event: string) => heard.filter((one) => one.event === event),
    id: () => id,
    comments: () => comments,
    ended: () => ended,
    pause: () => { response.pause() },
    resume: () => { response.resume() },
    close: () => { response.destroy() }
  }
}

export async function openSocket (url: string, options: { origin?: string } = {}) {
  const heard: Record<string, any>[] = []
  const socket = new WebSocket(url.replace(/^http/, 'ws'), options)
  let code: number | null = null
  socket.on('message', (data: Buffer) => { heard.push(JSON.parse(data.toString()) as Record<string, any>) })
  socket.on('close', (with_) => { code = with_ })
  await new Promise((resolve, reject) => { socket.on('open', resolve).on('error', reject) })
  return { heard, of: (kind: string) => heard.filter((one) => one['kind'] === kind), code: () => code, socket, close: () => { socket.terminate() } }
}
