import { parentPort } from 'node:worker_threads'
import { loadConfigModel } from '../policy/suggest.ts'
import type { Learned, Tuner } from '../policy/tuner.ts'
import { takeTurn } from '../tuning/turn.ts'
import type { Lesson, ThreadAnswer, ThreadTask } from './tuning-thread.ts'

let tuner: Promise<Tuner> | undefined

/** TensorFlow is loaded when the first best configuration arrives, and not before. */
async function teach ({ model, ...input }: Lesson): Promise<Learned> {
  tuner ??= import('../policy/tuner.ts').then(({ createTuner }) => createTuner())
  return await (await tuner).learn({ ...input, model: model && loadConfigModel(model.network, model.version) })
}

async function answer (id: number, task: ThreadTask): Promise<ThreadAnswer> {
  try {
    return { id, result: 'turn' in task ? takeTurn(task.turn) : await teach(task.lesson) }
  } catch (error) {
    return { id, error: (error as Error).message }
  }
}

parentPort!.on('message', async ({ id, task }: { id: number, task: ThreadTask }) => { parentPort!.postMessage(await answer(id, task)) })
