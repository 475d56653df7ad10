import { parentPort, workerData } from 'node:worker_threads'
import { growTrees } from '../src/ml/forest-training.ts'
import type { GrowTask } from './forest-pool.ts'

const { training, options, seeds } = workerData as GrowTask
for (const tree of growTrees(training, options, seeds)) {
  parentPort!.postMessage(tree, Object.values(tree).map(array => array.buffer as ArrayBuffer))
}
