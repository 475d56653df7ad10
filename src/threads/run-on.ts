import type { Worker } from 'node:worker_threads'

type Message<Result> = { readonly steps: number } | { readonly result: Result }

/**
 * Gives a worker thread a task and waits for its result.
 *
 * @param onSteps told of so many more steps that are done.
 * @throws the error of the task, or the reason of `signal`.
 */
export function runOn<Task, Result> (worker: Worker, task: Task,
  { onSteps = () => {}, signal }: { onSteps?: (steps: number) => void, signal?: AbortSignal } = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: Message<Result>) => {
      if ('steps' in message) onSteps(message.steps)
      else finish(() => { resolve(message.result) })
    }
    const onError = (error: Error) => { finish(() => { reject(error) }) }
    const onExit = (code: number) => { onError(new Error(`A worker thread stopped with the code ${code}.`)) }
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
