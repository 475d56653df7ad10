import type { WebSocket } from 'ws'
import type { StreamedEvent } from '../../store/event-stream.ts'
import type { Sink } from './follower.ts'
import { maxWaitingBytes } from './limits.ts'

const pollMs = 50
const goingAway = 1001
const texts = new WeakMap<StreamedEvent, string>()

/** The same events as JSON texts, each with the `id` to come back with. */
export function openWebSocket (socket: WebSocket): Sink & { hello (id: string): void, heartbeat (id: string): void, end (): void } {
  const isOpen = () => socket.readyState === socket.OPEN
  const write = (text: string) => { if (isOpen()) socket.send(text) }
  return {
    send: (events) => { for (const event of events) write(textOf(event)) },
    sendMissed: (missed) => { write(JSON.stringify({ kind: 'missed', ...missed })) },
    isFull: () => socket.bufferedAmount > maxWaitingBytes,
    drained: async () => {
      // The library tells nobody when its buffer is empty again.
      while (isOpen() && socket.bufferedAmount > 0) await new Promise((resolve) => { setTimeout(resolve, pollMs) })
    },
    hello: (id) => { write(JSON.stringify({ kind: 'hello', id })) },
    heartbeat: (id) => {
      write(JSON.stringify({ kind: 'heartbeat', id }))
      if (isOpen()) socket.ping()
    },
    end: () => { socket.close(goingAway, 'prescale is closing') }
  }
}

function textOf (event: StreamedEvent): string {
  let text = texts.get(event)
  if (text === undefined) {
    text = `{"id":"${event.id}",${event.json.slice(1)}`
    texts.set(event, text)
  }
  return text
}
