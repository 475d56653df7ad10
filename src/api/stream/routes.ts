import { Gauge } from 'prom-client'
import { Type } from 'typebox'
import websocket from '@fastify/websocket'
import type { WebSocket } from 'ws'
import type { FastifyRequest } from 'fastify'
import { PrescaleError } from '../../errors.ts'
import { formatPosition, parsePosition, type Position } from '../../store/stream-position.ts'
import type { Api, ApiContext } from '../context.ts'
import { allowedServices } from '../principal.ts'
import { answers } from '../schemas.ts'
import { createFilter, type Filter } from './filter.ts'
import { createFollower, type Sink } from './follower.ts'
import { heartbeatMs, maxClients, maxStalledBeats } from './limits.ts'
import { openSse } from './sse.ts'
import { openWebSocket } from './websocket.ts'

const tags = ['decisions']
const names = (title: string) => Type.Optional(Type.String({ maxLength: 4096, title, description: `${title}; all where not given` }))
const querystring = Type.Object({
  service: names('names of services with commas between them'),
  kind: names('decision, verdict, suggestion, incident or model, with commas between them'),
  lastEventId: Type.Optional(Type.String({ maxLength: 8192, description: 'Where to go on, for clients that cannot send the header Last-Event-ID.' }))
}, { additionalProperties: false })
interface Query { readonly service?: string, readonly kind?: string, readonly lastEventId?: string }

interface Prepared {
  readonly filter: Filter
  readonly from: Position | null
  /** The client came back with a place that means nothing to us. */
  readonly forgotten: boolean
}
type Client = Sink & { hello (id: string): void, heartbeat (id: string): void, end (): void }

/** What the worker decides, finds and suggests, as it does so. */
export async function streamRoutes (app: Api, { events, partitionOf, telemetry, now }: ApiContext): Promise<void> {
  const open = new Set<() => void>()
  const clients = new Gauge({ name: 'prescale_stream_clients', help: 'Clients that follow the live stream.', labelNames: ['transport'], registers: [telemetry.registry] })
  const endAll = (done: () => void) => {
    for (const end of open) end()
    done()
  }
  await app.register(websocket, { options: { maxPayload: 1024 }, preClose: endAll })

  /** @throws PrescaleError before anything is answered. */
  const prepare = async (request: FastifyRequest): Promise<Prepared> => {
    const { service, kind, lastEventId } = request.query as Query
    const header = single(request.headers['last-event-id'])
    if (open.size >= maxClients) throw new PrescaleError('overloaded', `${maxClients} clients follow the stream already.`)
    const present = await events.ready()
    const asked = header ?? lastEventId
    const from = asked === undefined ? null : placeOf(asked, { partitions: present.length, now: now() })
    return { filter: createFilter({ service, kind }, allowedServices(request)), from, forgotten: asked !== undefined && from === null }
  }

  /** @returns what is to be done when the client has gone. */
  const serve = (client: Client, { filter, from, forgotten, transport, drop }: Prepared & { transport: string, drop: () => void }) => {
    client.hello(formatPosition(from ?? events.position()!))
    if (forgotten) client.sendMissed({ late: 0, lost: null })
    const follower = createFollower({ stream: events, keys: { partitionOf }, filter, sink: client, from })
    let stalledBeats = 0
    const timer = setInterval(() => {
      stalledBeats = client.isFull() ? stalledBeats + 1 : 0
      if (stalledBeats >= maxStalledBeats) drop()
      else if (stalledBeats === 0) client.heartbeat(formatPosition(follower.position()))
    }, heartbeatMs)
    clients.inc({ transport })
    const end = () => { client.end() }
    open.add(end)
    return () => {
      clearInterval(timer)
      follower.close()
      if (open.delete(end)) clients.dec({ transport })
    }
  }

  app.get('/v1/stream', {
    schema: {
      tags,
      summary: 'Live decisions, verdicts, incidents, suggestions and changes of models as Server-Sent Events',
      description: 'Goes on after Last-Event-ID without loss; the event `missed` says what came late, and what could not be had any more.',
      produces: ['text/event-stream'],
      querystring,
      response: answers(200, Type.String(), 400, 503)
    }
  }, async (request, reply) => {
    const { raw } = request
    const prepared = await prepare(request)
    reply.hijack()
    const drop = () => { reply.raw.destroy() }
    const done = serve(openSse(reply.raw), { ...prepared, transport: 'sse', drop })
    reply.raw.on('error', () => {}).on('close', done)
    if (raw.destroyed) done()
  })

  app.get('/v1/ws', {
    websocket: true,
    schema: { tags, summary: 'The same as GET /v1/stream over a WebSocket, one JSON text for each event', querystring },
    preValidation: async (request) => { refuseOtherOrigins(request) }
  }, (socket: WebSocket, request) => {
    socket.on('error', () => {})
    // Whoever has gone by the time Redis has answered is not served.
    prepare(request).then((prepared) => {
      if (socket.readyState !== socket.OPEN) return
      socket.on('close', serve(openWebSocket(socket), { ...prepared, transport: 'websocket', drop: () => { socket.terminate() } }))
    }, (error: unknown) => { socket.close(tryAgainLater, error instanceof PrescaleError ? error.message.slice(0, 120) : 'internal') })
  })
}

const tryAgainLater = 1013
/** Another process may be ahead of us, and its clock too, but not by more. */
const maxAheadMs = 60_000

function placeOf (text: string, { partitions, now }: { partitions: number, now: number }): Position | null {
  const position = parsePosition(text, partitions)
  return position !== null && position.every(({ ms }) => ms <= now + maxAheadMs) ? position : null
}

function single (header: string | string[] | undefined): string | undefined {
  const value = [header].flat()[0]
  return value === '' ? undefined : value
}

/** Browsers let any page open a WebSocket to any address; what it says is for our own pages and for programs. */
function refuseOtherOrigins ({ headers: { origin, host } }: FastifyRequest): void {
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)) return
  throw new PrescaleError('invalid-request', `A page of ${origin} may not open a WebSocket here.`)
}
