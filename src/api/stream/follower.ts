import type { EventStream, StreamedEvent } from '../../store/event-stream.ts'
import { compareEntryIds, hasReached, type Position } from '../../store/stream-position.ts'
import { wants, type Filter } from './filter.ts'

/** Where the events of one client go. */
export interface Sink {
  send (events: readonly StreamedEvent[]): void
  /** Tells the client that it was too slow, or away for too long. */
  sendMissed (missed: Missed): void
  /** Whether more is waiting to be sent than may wait. */
  isFull (): boolean
  /** Fulfilled when there is room again, or the client is gone. */
  drained (): Promise<void>
}

export interface Missed {
  /** Events that came late, because the client read too slowly; they have been sent by now. */
  readonly late: number
  /** Events that are gone for good; null when they cannot be counted. */
  readonly lost: number | null
}

interface FollowerOptions {
  readonly stream: EventStream
  readonly keys: { readonly partitionOf: (service: string) => number }
  readonly filter: Filter
  readonly sink: Sink
  /** Where the client was before; null to begin now. */
  readonly from: Position | null
}

const pageEntries = 50
const retryMs = 1_000

/**
 * Brings the events to one client: as they come while it keeps up, and out of Redis while it does not. Going from one to the other
 * happens between two batches, at a place that both have reached, so that nothing is lost or sent twice.
 */
export function createFollower ({ stream, keys, filter, sink, from }: FollowerOptions) {
  const begin = stream.position()!
  let position = from ?? begin
  let live = false
  let closed = false
  /** What came and could not be sent, and from where on that is counted. */
  let owed = 0
  let countedFrom = begin
  let late = 0
  let trimmed = false
  let wake = () => {}

  const isWanted = (event: StreamedEvent) => wants(filter, event)
  const partitions = filter.services && new Set([...filter.services].map(keys.partitionOf))
  const wanted = (partition: number) => partitions?.has(partition) ?? true

  const stopListening = stream.listen((batch) => {
    const events = filter.services === null && filter.kinds === null && filter.mayUse === null ? batch : batch.filter(isWanted)
    if (!live) {
      owed += events.filter(({ partition, entry }) => compareEntryIds(entry, position[partition]) > 0).length
      wake()
      return
    }
    if (events.length > 0) sink.send(events)
    position = stream.position()!
    if (sink.isFull()) fallBehind()
  })

  const fallBehind = () => {
    live = false
    owed = 0
    countedFrom = position
    catchUp({ slow: true })
  }

  const catchUp = async ({ slow }: { slow: boolean }): Promise<void> => {
    for (;;) {
      await sink.drained()
      if (closed) return
      const target = stream.position()!
      if (hasReached(position, target)) {
        // Another process may have shown the client more than this one has read yet.
        if (hasReached(target, position)) return settle()
        await nextBatch()
      } else {
        await readPage(target, slow).catch(() => pause())
      }
    }
  }

  const readPage = async (target: Position, slow: boolean): Promise<void> => {
    const page = await stream.read(position, target, { limit: pageEntries, wanted })
    if (closed) return
    const events = page.events.filter(isWanted)
    if (events.length > 0) sink.send(events)
    const counted = events.filter(({ partition, entry }) => compareEntryIds(entry, countedFrom[partition]) > 0).length
    owed -= counted
    if (slow) late += counted
    trimmed ||= page.trimmed
    position = page.position
  }

  const settle = () => {
    // What was owed and did not turn up was dropped by Redis; what was dropped before that was never counted.
    const lost = owed > 0 ? owed : trimmed && late === 0 ? null : 0
    if (late > 0 || lost !== 0) sink.sendMissed({ late, lost })
    owed = late = 0
    trimmed = false
    live = true
  }

  const nextBatch = () => new Promise<void>((resolve) => { wake = resolve })
  const pause = () => new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, retryMs)
    wake = () => {
      clearTimeout(timer)
      resolve()
    }
  })

  const close = (): void => {
    closed = true
    stopListening()
    wake()
  }

  catchUp({ slow: false })
  return { position: () => position, close }
}
export type Follower = ReturnType<typeof createFollower>
