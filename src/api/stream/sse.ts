import type { ServerResponse } from 'node:http'
import type { StreamedEvent } from '../../store/event-stream.ts'
import type { Missed, Sink } from './follower.ts'
import { maxWaitingBytes } from './limits.ts'

/** Browsers come back after this long. */
const retryMs = 2_000
const frames = new WeakMap<readonly StreamedEvent[], Buffer>()

/** Server-Sent Events on a response that nobody else writes to. */
export function openSse (response: ServerResponse): Sink & { hello (id: string): void, heartbeat (id: string): void, end (): void } {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  const write = (data: string | Buffer) => { if (!response.writableEnded && !response.destroyed) response.write(data) }
  return {
    send: (events) => { write(frameOf(events)) },
    sendMissed: (missed: Missed) => { write(`event: missed\ndata: ${JSON.stringify(missed)}\n\n`) },
    isFull: () => response.writableLength > maxWaitingBytes,
    drained: () => new Promise((resolve) => {
      if (!response.writableNeedDrain || response.destroyed) return resolve()
      const done = () => {
        response.off('drain', done).off('close', done)
        resolve()
      }
      response.on('drain', done).on('close', done)
    }),
    hello: (id) => { write(`retry: ${retryMs}\nid: ${id}\nevent: hello\ndata: {}\n\n`) },
    // The id alone moves the place to come back to, also for somebody who hears of few services.
    heartbeat: (id) => { write(`: heartbeat\nid: ${id}\n\n`) },
    end: () => { response.end() }
  }
}

/** One batch is the same for all who hear of everything, so it is put into words once. */
function frameOf (events: readonly StreamedEvent[]): Buffer {
  let frame = frames.get(events)
  if (frame === undefined) {
    frame = Buffer.from(events.map(({ id, kind, json }) => `id: ${id}\nevent: ${kind}\ndata: ${json}\n\n`).join(''))
    frames.set(events, frame)
  }
  return frame
}
