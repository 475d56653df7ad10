import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { workerFile } from './worker-file.ts'
import type { SimulationResult, SimulationTask } from '../simulation/task.ts'

export interface PoolOptions {
  readonly threads?: number
  /** Told of so many more steps that are done. */
  readonly onSteps?: (steps: number) => void
  readonly signal?: AbortSignal
}

type Message = { readonly steps: number } | { readonly result: SimulationResult }

/**
 * Runs tasks on worker threads, several at once; results are in the order of the tasks.
 *
 * @throws the error of the first task that fails, or the reason of `signal`; then no thread is left running.
 */
export async function runTasks (tasks: readonly SimulationTask[],
  { threads = availableParallelism(), onSteps = () => {}, signal }: PoolOptions = {}): Promise<SimulationResult[]> {
  const results: SimulationResult[] = []
  let next = 0
  const workers = Array.from({ length: Math.min(threads, tasks.length) }, () => new Worker(workerFile('./simulation-worker.ts', import.meta.url)))
  const work = async (worker: Worker) => {
    while (next < tasks.length) {
      const index = next++
      results[index] = await runOn(worker, tasks[index], { onSteps, signal })
    }
  }
  try {
    await Promise.all(workers.map(work))
    return results
  } finally {
    await Promise.all(workers.map(worker => worker.terminate()))
  }
}

function runOn (worker: Worker, task: SimulationTask, { onSteps, signal }: Required<Pick<PoolOptions, 'onSteps'>> & Pick<PoolOptions, 'signal'>): Promise<SimulationResult> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: Message) => {
      if ('steps' in message) onSteps(message.steps)
      else finish(() => { resolve(message.result) })
    }
    const onError = (error: Error) => { finish(() => { reject(error) }) }
    const onExit = (code: number) => { onError(new Error(`A simulation stopped with the code ${code}.`)) }
    const abort = () => { onError(signal!.reason as Error) }
    const finish = (settle: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      signal?.removeEventListener('abort', abort)
      settle()
    }
    if (signal?.aborted) return abort()
    signal?.addEventListener('abort', abort)
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    worker.postMessage(task)
  })
}
