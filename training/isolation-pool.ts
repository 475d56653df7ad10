import { Worker } from 'node:worker_threads'
import type { IsolationForest, IsolationForestOptions, IsolationSet } from '../src/ml/isolation-forest.ts'
import type { TreeTable } from '../src/ml/isolation-tree.ts'
import { runOn } from '../src/threads/run-on.ts'
import { workerFile } from '../src/threads/worker-file.ts'

/** What one worker is given to do. */
export type IsolationTask =
  | { readonly kind: 'grow', readonly set: IsolationSet, readonly options: IsolationForestOptions, readonly seeds: Uint32Array }
  | { readonly kind: 'score', readonly forest: Uint8Array, readonly x: IsolationSet['x'] }

/** The trees of `growTrees`, in the order of their seeds, however many threads grow them. @throws RangeError like it; Error if the worker was not built. */
export async function growTreesOnThreads (set: IsolationSet, options: IsolationForestOptions,
  { seeds, threads }: { readonly seeds: Uint32Array, readonly threads: number }): Promise<TreeTable[]> {
  const tasks = shares(seeds.length, threads).map(([from, to]): IsolationTask => ({ kind: 'grow', set, options, seeds: seeds.slice(from, to) }))
  return (await runAll<TreeTable[]>(tasks)).flat()
}

/** The scores of `scoreRows`, a block of rows on each thread. */
export async function scoreRowsOnThreads (forest: IsolationForest, x: IsolationSet['x'], threads: number): Promise<Float64Array> {
  const { width } = forest
  const bytes = forest.toBytes()
  const blocks = shares(x.length / width, threads)
  const tasks = blocks.map(([from, to]): IsolationTask => ({ kind: 'score', forest: bytes, x: x.slice(from * width, to * width) }))
  const scores = new Float64Array(x.length / width)
  for (const [i, block] of (await runAll<Float64Array>(tasks)).entries()) scores.set(block, blocks[i][0])
  return scores
}

/** From and to of `threads` nearly equal parts of so many things; none is empty. */
function shares (count: number, threads: number): [from: number, to: number][] {
  const size = Math.ceil(count / Math.max(1, threads))
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => [i * size, Math.min(count, (i + 1) * size)])
}

async function runAll<Result> (tasks: readonly IsolationTask[]): Promise<Result[]> {
  const workers = tasks.map(() => new Worker(workerFile('./isolation-worker.ts', import.meta.url)))
  try {
    return await Promise.all(workers.map((worker, i) => runOn<IsolationTask, Result>(worker, tasks[i])))
  } finally {
    // One worker that failed must not leave the others running.
    await Promise.all(workers.map(worker => worker.terminate()))
  }
}
