import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { runOn } from './run-on.ts'
import { workerFile } from './worker-file.ts'
import type { SimulationResult, SimulationTask } from '../simulation/task.ts'

export interface PoolOptions {
  readonly threads?: number
  /** Told of so many more steps that are done. */
  readonly onSteps?: (steps: number) => void
  readonly signal?: AbortSignal
}

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
      results[index] = await runOn<SimulationTask, SimulationResult>(worker, tasks[index], { onSteps, signal })
    }
  }
  try {
    await Promise.all(workers.map(work))
    return results
  } finally {
    await Promise.all(workers.map(worker => worker.terminate()))
  }
}
