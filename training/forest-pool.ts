import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Forest, treeSeeds, type ForestOptions, type TrainingSet } from '../src/ml/forest.ts'
import { checkForestOptions } from '../src/ml/forest-options.ts'
import { concatTrees, type Trees } from '../src/ml/forest-trees.ts'
import type { Random } from '../src/ml/random.ts'
import { rankColumns, type TrainingColumns } from '../src/ml/training-columns.ts'
import { workerFile } from '../src/threads/worker-file.ts'

/** What one worker is given to do. */
export interface GrowTask { readonly training: TrainingColumns, readonly options: ForestOptions, readonly seeds: Uint32Array }

export interface PoolOptions {
  readonly threads?: number
  /** Called after each tree. */
  readonly onTree?: () => void
}

/**
 * The same forest as `trainForest` to the byte, grown on worker threads: every tree has a seed of its own, so the number of
 * threads changes nothing but the time.
 *
 * @throws RangeError like `trainForest`; Error if the worker was not built.
 */
export async function trainForestOnThreads (set: TrainingSet, options: ForestOptions,
  { random, threads = availableParallelism(), onTree = () => {} }: PoolOptions & { random: Random }): Promise<Forest> {
  const training = rankColumns(set)
  checkForestOptions(options, training.width)
  const seeds = treeSeeds(options, random)
  const share = Math.ceil(seeds.length / Math.max(1, threads))
  const tasks: GrowTask[] = []
  for (let from = 0; from < seeds.length; from += share) tasks.push({ training, options, seeds: seeds.slice(from, from + share) })
  const stop = new AbortController()
  try {
    const grown = await Promise.all(tasks.map(task => growOnThread(task, { onTree, signal: stop.signal })))
    return new Forest({ features: set.features, targets: training.target.values, trees: concatTrees(grown.flat()) })
  } finally {
    // One worker that failed must not leave the others running.
    stop.abort()
  }
}

function growOnThread (task: GrowTask, { onTree, signal }: { onTree: () => void, signal: AbortSignal }): Promise<Trees[]> {
  const worker = new Worker(workerFile('./forest-worker.ts', import.meta.url), { workerData: task })
  signal.addEventListener('abort', () => { worker.terminate() })
  return new Promise((resolve, reject) => {
    const trees: Trees[] = []
    worker.on('message', (tree: Trees) => {
      trees.push(tree)
      onTree()
    })
    worker.on('error', reject)
    worker.on('exit', () => {
      if (trees.length === task.seeds.length) resolve(trees)
      else reject(new Error(`A worker stopped after ${trees.length} of ${task.seeds.length} trees.`))
    })
  })
}
