import { Worker } from 'node:worker_threads'
import type { LocalResult, LocalTask } from '../learning/train-local.ts'
import { runOn } from './run-on.ts'
import { workerFile } from './worker-file.ts'

/**
 * Learns a model on a thread of its own, so that the one that evaluates samples is never held up.
 *
 * @throws what the training throws, or the reason of `signal`; then no thread is left running.
 */
export async function trainOnThread (task: LocalTask, { signal }: { signal: AbortSignal }): Promise<LocalResult> {
  const worker = new Worker(workerFile('./learning-worker.ts', import.meta.url))
  try {
    return await runOn<LocalTask, LocalResult>(worker, task, { signal })
  } finally {
    await worker.terminate()
  }
}
