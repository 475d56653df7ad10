import { Worker } from 'node:worker_threads'
import type { Learned, LearnInput } from '../policy/tuner.ts'
import { takeTurn, type TuningOutcome, type TuningTask } from '../tuning/turn.ts'
import { spaceOf } from '../tuning/space.ts'
import { workerFile } from './worker-file.ts'

/** Up to so many coordinates one result takes less than 5 ms to learn and to answer (bench/tuning-turn.ts). */
const widestInPlace = 8

/** A model goes to the thread as its bytes. */
export type Lesson = Omit<LearnInput, 'model'> & { readonly model: { readonly version: string, readonly network: Uint8Array } | null }
export type ThreadTask = { readonly turn: TuningTask } | { readonly lesson: Lesson }
export type ThreadAnswer = { readonly id: number, readonly result: TuningOutcome | Learned } | { readonly id: number, readonly error: string }
interface Waiting { readonly resolve: (result: never) => void, readonly reject: (error: Error) => void }

/**
 * Takes turns of tuning: short ones in place, and those that would hold up everything else on a thread of their own, which is started when
 * the first one comes. The network is taught there, too: TensorFlow takes a third of a second to load.
 */
export function createTuningThread () {
  const waiting = new Map<number, Waiting>()
  let thread: Worker | null = null
  let count = 0

  const fail = (error: Error) => {
    thread = null
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }

  const start = (): Worker => {
    const started = new Worker(workerFile('./tuning-worker.ts', import.meta.url))
    started.unref()
    started.on('message', (answer: ThreadAnswer) => {
      const asked = waiting.get(answer.id)
      waiting.delete(answer.id)
      if ('error' in answer) asked?.reject(new Error(answer.error))
      else asked?.resolve(answer.result as never)
    })
    started.on('error', fail)
    started.on('exit', code => { if (thread === started) fail(new Error(`The thread that tunes stopped with the code ${code}.`)) })
    return started
  }

  const ask = async <Result>(task: ThreadTask): Promise<Result> => {
    thread ??= start()
    const id = count++
    const posted = thread
    return await new Promise<Result>((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      posted.postMessage({ id, task })
    })
  }

  const turn = async (task: TuningTask): Promise<TuningOutcome> =>
    task.feedback.length <= 1 && spaceOf(task.rules).width <= widestInPlace ? takeTurn(task) : await ask({ turn: task })

  /** As `Tuner.learn`. */
  const teach = async ({ model, ...input }: LearnInput): Promise<Learned> =>
    await ask({ lesson: { ...input, model: model && { version: model.version, network: model.network.toBytes() } } })

  const close = async () => {
    const closing = thread
    thread = null
    await closing?.terminate()
    fail(new Error('The thread that tunes was closed.'))
  }

  return { turn, teach, close }
}
