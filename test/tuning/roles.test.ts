import { describe, expect, it } from 'vitest'
import { isInSeconds, roleOf } from '../../src/tuning/roles.ts'

describe('what a parameter is to its service', () => {
  it.each([
    ['threads', ['threads', 'threadPoolSize', 'thread_pool_size', 'THREAD_POOL_SIZE', 'maxWorkers', 'workers', 'worker_count', 'concurrency', 'connectionPoolSize', 'poolMax']],
    ['memory', ['cacheMegabytes', 'cache_size', 'cache_mb', 'maxHeap', 'bufferBytes', 'memoryLimit']],
    ['timeout', ['timeout', 'timeoutMs', 'request_timeout_seconds', 'retryTimeoutMs', 'connectionPoolTimeout']],
    ['batch', ['batch', 'batchSize', 'max_batch_size']],
    ['retries', ['retries', 'retryCount', 'max_retries', 'retry_limit']]
  ])('is %s by its name', (role, names) => {
    expect(names.map(roleOf)).toEqual(names.map(() => role))
  })

  it('is nothing where the name speaks of something else', () => {
    expect(['cacheTtlSeconds', 'retryDelayMs', 'batchLinger', 'workerPriority', 'threadStackPolicy', 'codec', 'level', 's', ''].map(roleOf)).toEqual(new Array(9).fill(undefined))
  })

  it('has a time in seconds where its unit or else its name says so', () => {
    expect([{ name: 'timeout', unit: 's' }, { name: 'timeoutSeconds' }, { name: 'timeout' }, { name: 'timeoutMs' }, { name: 'timeoutSeconds', unit: 'ms' }].map(isInSeconds))
      .toEqual([true, true, false, false, false])
  })
})
