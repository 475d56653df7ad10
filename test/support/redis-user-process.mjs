// Opens a Redis of its own in a directory, sets a key, says so, and stays until it is killed. Arguments: directory, value.
import { openRedis } from '../../dist/src/store/open-redis.js'
import { createTelemetry } from '../../dist/src/telemetry.js'

const [dataDirectory, value] = process.argv.slice(2)
const { log } = createTelemetry({ level: 'silent', processMetrics: false })
const source = await openRedis({ dataDirectory, log })
await source.connect('work').rpush('acknowledged', value)
process.send(value)
