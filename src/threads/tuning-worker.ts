import { parentPort } from 'node:worker_threads'
import { takeTurn, type TuningTask } from '../tuning/turn.ts'
import type { ThreadAnswer } from './tuning-thread.ts'

const answer = (id: number, task: TuningTask): ThreadAnswer => {
  try {
    return { id, outcome: takeTurn(task) }
  } catch (error) {
    return { id, error: (error as Error).message }
  }
}

parentPort!.on('message', ({ id, task }: { id: number, task: TuningTask }) => { parentPort!.postMessage(answer(id, task)) })
