import { Worker } from 'node:worker_threads'
import { takeTurn, type TuningOutcome, type TuningTask } from '../tuning/turn.ts'
import { spaceOf } from '../tuning/space.ts'
import { workerFile } from './worker-file.ts'

/** Up to so many coordinates one result takes less than 5 ms to learn and to answer (bench/tuning-turn.ts). */
const widestInPlace = 8

export type ThreadAnswer = { readonly id: number, readonly outcome: TuningOutcome } | { readonly id: number, readonly error: string }
interface Waiting { readonly resolve: (outcome: TuningOutcome) => void, readonly reject: (error: Error) => void }

/**
 * Takes turns of tuning: short ones in place, and those that would hold up everything else on a thread of their own, which is started when
 * the first one comes.
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
      else asked?.resolve(answer.outcome)
    })
    started.on('error', fail)
    started.on('exit', code => { if (thread === started) fail(new Error(`The thread that tunes stopped with the code ${code}.`)) })
    return started
  }

  const turn = async (task: TuningTask): Promise<TuningOutcome> => {
    if (task.feedback.length <= 1 && spaceOf(task.rules).width <= widestInPlace) return takeTurn(task)
    thread ??= start()
    const id = count++
    const posted = thread
    return await new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      posted.postMessage({ id, task })
    })
  }

  const close = async () => {
    const closing = thread
    thread = null
    await closing?.terminate()
    fail(new Error('The thread that tunes was closed.'))
  }

  return { turn, close }
}
