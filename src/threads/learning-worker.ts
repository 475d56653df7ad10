import { parentPort } from 'node:worker_threads'
import { trainLocal, type LocalTask } from '../learning/train-local.ts'

/** Learns one model after another; each task is answered with its result. */
parentPort!.on('message', (task: LocalTask) => { parentPort!.postMessage({ result: trainLocal(task) }) })
