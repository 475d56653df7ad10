import { parentPort } from 'node:worker_threads'
import { growTrees, IsolationForest, scoreRows } from '../src/ml/isolation-forest.ts'
import type { IsolationTask } from './isolation-pool.ts'

const run = (task: IsolationTask) => task.kind === 'grow'
  ? growTrees(task.set, task.options, task.seeds)
  : scoreRows(IsolationForest.fromBytes(task.forest), task.x)

parentPort!.on('message', (task: IsolationTask) => { parentPort!.postMessage({ result: run(task) }) })
