import { parentPort, workerData } from 'node:worker_threads'
import { growTrees, IsolationForest, scoreRows } from '../src/ml/isolation-forest.ts'
import type { IsolationTask } from './isolation-pool.ts'

const task = workerData as IsolationTask
parentPort!.postMessage(task.kind === 'grow' ? growTrees(task.set, task.options, task.seeds) : scoreRows(IsolationForest.fromBytes(task.forest), task.x))
