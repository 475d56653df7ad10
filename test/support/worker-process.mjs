// A worker in a process of its own, to be killed. Arguments: address of Redis, prefix of the keys, partitions, ms that each job takes.
import { createKeys } from '../../dist/src/store/keys.js'
import { openRedis } from '../../dist/src/store/open-redis.js'
import { createTelemetry } from '../../dist/src/telemetry.js'
import { createWorker } from '../../dist/src/worker.js'
import { noModels, resolved } from './worker-setting.mjs'

const [url, prefix, partitions, jobMs] = process.argv.slice(2)
const telemetry = createTelemetry({ level: 'silent', processMetrics: false })
const source = await openRedis({ url, dataDirectory: '.', log: telemetry.log })
const worker = createWorker({
  source,
  keys: createKeys({ prefix, partitions: Number(partitions) }),
  telemetry,
  models: () => noModels,
  resolve: () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(jobMs))
    return resolved
  }
})
await worker.started
process.send?.('started')
process.on('SIGTERM', async () => {
  await worker.close()
  await source.close()
  process.exit()
})
