import { status, type sendUnaryData, type ServerUnaryCall, type ServerWritableStream } from '@grpc/grpc-js'
import { serviceNamePattern, type Decision } from '../../domain.ts'
import { PrescaleError } from '../../errors.ts'
import { decisionToObey, type DecisionContext } from '../decisions.ts'
import type { ExternalScalerHandlers, GetMetricSpecResponse, ScaledObjectRef } from './contract.ts'

const metricName = 'desired_replicas'
/** Replicas divided by 1 are the replicas that HPA arrives at. The same whatever happens: without a spec KEDA has nothing to fall back from. */
const specification: GetMetricSpecResponse = { metricSpecs: [{ metricName, targetSize: 1, targetSizeFloat: 1 }] }
const serviceName = new RegExp(serviceNamePattern)

interface HandlersOptions {
  readonly context: DecisionContext
  /** How often an open stream looks whether anything changed. */
  readonly pollMs: number
}

/**
 * The five calls. Without an opinion they fail with UNAVAILABLE, which KEDA counts as a failure; a value of 0 would scale in.
 * A stream stays open then, and speaks when there is something new to say.
 */
export function createHandlers ({ context, pollMs }: HandlersOptions) {
  const open = new Set<AbortController>()

  const handlers: ExternalScalerHandlers = {
    GetMetricSpec: answer((ref: ScaledObjectRef) => {
      serviceOf(ref)
      return specification
    }),
    IsActive: answer(async (ref: ScaledObjectRef) => ({ result: isActive(await decisionToObey(serviceOf(ref), context)) })),
    GetMetrics: answer(async ({ scaledObjectRef, metricName: asked }) => {
      if (asked !== '' && asked !== metricName) throw new PrescaleError('invalid-request', `There is no metric ${asked}, only ${metricName}.`)
      const { replicas } = await decisionToObey(serviceOf(scaledObjectRef), context)
      return { metricValues: [{ metricName, metricValue: replicas, metricValueFloat: replicas }] }
    }),
    StreamMetricSpec: (call) => {
      attempt(call, () => {
        serviceOf(call.request)
        call.write(specification)
        untilGone(call)
      })
    },
    StreamIsActive: (call) => {
      attempt(call, () => {
        const service = serviceOf(call.request)
        follow(call, service, untilGone(call)).catch((error: unknown) => { call.emit('error', toStatus(error)) })
      })
    }
  }

  /** Sends the state at once, and again whenever it is another one. */
  async function follow (call: ServerWritableStream<ScaledObjectRef, { result: boolean }>, service: string, gone: AbortSignal): Promise<void> {
    let told: boolean | undefined
    while (!gone.aborted) {
      const active = await decisionToObey(service, context).then(isActive, (error: unknown) => {
        if (error instanceof PrescaleError && error.status === 503) return told
        throw error
      })
      if (active !== undefined && active !== told && !gone.aborted) call.write({ result: active })
      told = active
      await pause(pollMs, gone)
    }
  }

  /** Aborts when the caller is gone, or when we are. */
  function untilGone (call: Pick<ServerWritableStream<unknown, unknown>, 'on' | 'end'>): AbortSignal {
    const controller = new AbortController()
    open.add(controller)
    const leave = () => {
      open.delete(controller)
      controller.abort()
    }
    for (const event of ['cancelled', 'error', 'close']) call.on(event, leave)
    controller.signal.addEventListener('abort', () => { call.end() })
    return controller.signal
  }

  /** Ends all streams; KEDA opens them again, elsewhere if it can. */
  const close = () => { for (const controller of open) controller.abort() }

  return { handlers, close }
}

function isActive ({ replicas }: Pick<Decision, 'replicas'>): boolean {
  return replicas > 0
}

/** `scalerMetadata.service`, or else the name of the ScaledObject. */
function serviceOf (ref: ScaledObjectRef | null): string {
  const service = ref?.scalerMetadata['service'] || ref?.name || ''
  if (serviceName.test(service)) return service
  throw new PrescaleError('invalid-request', `${JSON.stringify(service)} is no name of a service; the metadata "service" of the trigger names it, or else the name of the ScaledObject.`)
}

function answer<Request, Response> (handle: (request: Request) => Response | Promise<Response>) {
  return ({ request }: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    Promise.resolve(request).then(handle).then((response) => { callback(null, response) }, (error: unknown) => { callback(toStatus(error)) })
  }
}

function attempt (call: { emit (event: 'error', error: unknown): unknown }, run: () => void): void {
  try {
    run()
  } catch (error) {
    call.emit('error', toStatus(error))
  }
}

function toStatus (error: unknown): { code: status, details: string } {
  if (!(error instanceof PrescaleError)) return { code: status.INTERNAL, details: 'Something went wrong here.' }
  const codes: Readonly<Record<number, status>> = { 400: status.INVALID_ARGUMENT, 404: status.NOT_FOUND, 503: status.UNAVAILABLE }
  return { code: codes[error.status] ?? status.INTERNAL, details: error.message }
}

function pause (ms: number, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (gone.aborted) return resolve()
    const timer = setTimeout(done, ms)
    function done () {
      clearTimeout(timer)
      gone.removeEventListener('abort', done)
      resolve()
    }
    gone.addEventListener('abort', done)
  })
}
