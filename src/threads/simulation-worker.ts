import { parentPort } from 'node:worker_threads'
import { runTask, type SimulationTask } from '../simulation/task.ts'

/** Runs one task after another; each is answered with its steps as they pass, and then with its result. */
parentPort!.on('message', async (task: SimulationTask) => {
  const result = await runTask(task, steps => { parentPort!.postMessage({ steps }) })
  parentPort!.postMessage({ result })
})
