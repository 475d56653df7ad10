import { Type, type Static } from 'typebox'
import type { Point } from '../domain.ts'

const name = Type.String({ minLength: 1, maxLength: 256 })
const values = Type.Array(Type.Tuple([Type.Number(), Type.Number()], { title: 'a pair of ms since 1970 and a value' }), { maxItems: 10_000 })
const workers = Type.Record(name, Type.Object({ values }), { maxProperties: 1_000 })

/** What watt-extra's health signals look like (scaler version v2); it adds fields from time to time. */
export const wattSignalsSchema = Type.Object({
  applicationId: name,
  runtimeId: name,
  batchStartedAt: Type.Optional(Type.Number()),
  signals: Type.Record(name, Type.Object({
    elu: Type.Optional(Type.Object({ workers: Type.Optional(workers) })),
    heap: Type.Optional(Type.Object({
      options: Type.Optional(Type.Object({ heapTotal: Type.Optional(Type.Number()) })),
      workers: Type.Optional(workers)
    }))
  }), { maxProperties: 1_000 })
})
export type WattSignals = Static<typeof wattSignalsSchema>

export const wattStatusSchema = Type.Object({ applicationId: name, runtimeId: name, timestamp: Type.Optional(Type.Number()) })
export type WattStatus = Static<typeof wattStatusSchema>

const bytesPerMegabyte = 1_048_576

/**
 * Points of one batch. `job` is the application and `instance` the runtime (one pod), so that `match: { job: … }` finds them. Used heap
 * comes in megabytes and the size of the heap in bytes; both are bytes here.
 */
export function wattPoints ({ applicationId, runtimeId, signals }: WattSignals): Point[] {
  const target = targetLabels({ applicationId, runtimeId })
  const points: Point[] = []
  let newest = -Infinity
  for (const [application, { elu, heap }] of Object.entries(signals)) {
    const heapTotal = heap?.options?.heapTotal ?? 0
    for (const [worker, { values }] of Object.entries(elu?.workers ?? {})) {
      const labels = [...target, ['application', application], ['worker', worker]] as const
      for (const [at, value] of values) points.push({ metric: 'watt_event_loop_utilization_ratio', labels, at, value })
    }
    for (const [worker, { values }] of Object.entries(heap?.workers ?? {})) {
      const labels = [...target, ['application', application], ['worker', worker]] as const
      for (const [at, value] of values) {
        points.push({ metric: 'watt_heap_used_bytes', labels, at, value: value * bytesPerMegabyte })
        if (heapTotal > 0) points.push({ metric: 'watt_heap_total_bytes', labels, at, value: heapTotal })
      }
    }
  }
  for (const { at } of points) newest = Math.max(newest, at)
  if (points.length > 0) points.push({ metric: 'up', labels: target, at: newest, value: 1 })
  return points.sort((a, b) => a.at - b.at)
}

/** Whether an instance is there: 1 when it says that it is ready, 0 when it goes, which also ends its series. */
export function wattUp (status: WattStatus, { at, up }: { at: number, up: boolean }): Point {
  return { metric: 'up', labels: targetLabels(status), at, value: up ? 1 : 0 }
}

function targetLabels ({ applicationId, runtimeId }: Pick<WattStatus, 'applicationId' | 'runtimeId'>) {
  return [['job', applicationId], ['instance', runtimeId]] as const
}
