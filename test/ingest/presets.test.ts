import { describe, expect, test } from 'vitest'
import { signalCatalogue, signalNamePattern, type Point } from '../../src/domain.ts'
import { assemble } from '../../src/ingest/assemble.ts'
import { checkSignals, resolveSignals } from '../../src/ingest/mapping.ts'
import { presetNames } from '../../src/ingest/presets.ts'
import { series } from '../support/series.ts'

/** Two scrapes, 15 s apart; counters are given as what they gain in a second. */
function signalsOf (preset: typeof presetNames[number], scrape: (at: number) => Point[]) {
  const points = [...scrape(15), ...scrape(30), series('up', { job: 'x', instance: 'other' })(31, 0)]
  return assemble(null, points, resolveSignals(preset), { service: 'shop', stepSeconds: 15, lateSeconds: 0 }).samples.at(-1)?.signals
}

test.each(presetNames)('%s compiles and gives signals of the catalogue', (name) => {
  const mappings = resolveSignals(name)
  expect(checkSignals(mappings, 'signals')).toEqual([])
  expect(mappings.every(({ signal }) => new RegExp(signalNamePattern).test(signal))).toBe(true)
  expect(mappings.filter(({ signal }) => (signalCatalogue as readonly string[]).includes(signal)).length).toBeGreaterThanOrEqual(3)
})

test('node-exporter: what is not idle, not available, and passes through real devices', () => {
  const signals = signalsOf('node-exporter', (at) => [
    series('node_cpu_seconds_total', { cpu: '0', mode: 'idle' })(at, 0.5 * at), series('node_cpu_seconds_total', { cpu: '1', mode: 'idle' })(at, 0.75 * at),
    series('node_cpu_seconds_total', { cpu: '0', mode: 'user' })(at, 0.5 * at),
    series('node_memory_MemAvailable_bytes')(at, 3e9), series('node_memory_MemTotal_bytes')(at, 4e9),
    series('node_disk_read_bytes_total', { device: 'sda' })(at, 100 * at), series('node_disk_written_bytes_total', { device: 'nvme0n1' })(at, 50 * at),
    series('node_disk_written_bytes_total', { device: 'dm-0' })(at, 50 * at),
    series('node_network_receive_bytes_total', { device: 'eth0' })(at, 1000 * at), series('node_network_receive_bytes_total', { device: 'lo' })(at, 9000 * at),
    series('node_network_receive_bytes_total', { device: 'veth12ab' })(at, 1000 * at), series('node_network_transmit_bytes_total', { device: 'ens5' })(at, 300 * at),
    series('up', { job: 'x', instance: 'a' })(at, 1)
  ])
  // cpu: 1 − (0.5 + 0.75) / 2
  expect(signals).toEqual({
    cpuUsageRatio: 0.375,
    memoryUsageRatio: 0.25,
    diskIoBytesPerSecond: 150,
    networkInBytesPerSecond: 1000,
    networkOutBytesPerSecond: 300,
    readyReplicas: 1
  })
})

describe('cadvisor', () => {
  const container = (name: string, container: string, pod = 'a') => series(name, { container, pod, namespace: 'shop' })
  const scrape = (at: number) => ['a', 'b'].flatMap((pod) => [
    // The sum over the pod has no container, the sandbox is called POD: both would count twice.
    ...['web', '', 'POD'].flatMap((name) => [
      container('container_cpu_usage_seconds_total', name, pod)(at, 0.2 * at), container('container_memory_working_set_bytes', name, pod)(at, 256e6)
    ]),
    container('container_spec_memory_limit_bytes', 'web', pod)(at, 512e6), container('container_threads', 'web', pod)(at, 12),
    series('container_network_receive_bytes_total', { pod, interface: 'eth0' })(at, 700 * at), series('container_network_receive_bytes_total', { pod, interface: 'lo' })(at, 700 * at)
  ])

  test('relates use to limits and counts pods by their network', () => {
    const signals = signalsOf('cadvisor', (at) => [...scrape(at), ...['a', 'b'].map((pod) => container('container_spec_cpu_quota', 'web', pod)(at, 50_000))])
    // 0.4 cores of 2 × 50 000 µs in 100 ms = 1 core
    expect(signals?.cpuUsageRatio).toBeCloseTo(0.4)
    expect(signals).toMatchObject({ memoryUsageRatio: 0.5, threadCount: 24, networkInBytesPerSecond: 1400, readyReplicas: 2 })
  })

  test('relates CPU to requests where there is no limit', () => {
    const requests = (at: number) => ['a', 'b'].map((pod) => series('kube_pod_container_resource_requests', { pod, resource: 'cpu' })(at, 0.25))
    expect(signalsOf('cadvisor', (at) => [...scrape(at), ...requests(at)])?.cpuUsageRatio).toBeCloseTo(0.8)
    expect(signalsOf('cadvisor', scrape)).not.toHaveProperty('cpuUsageRatio')
  })
})

test('nodejs: CPU of one core, heap and event loop lag, over processes', () => {
  const scrape = (at: number) => ['a', 'b'].flatMap((instance, i) => [
    series('process_cpu_seconds_total', { instance })(at, (0.2 + 0.4 * i) * at), series('nodejs_heap_size_used_bytes', { instance })(at, 30e6),
    series('nodejs_heap_size_total_bytes', { instance })(at, 40e6), series('process_resident_memory_bytes', { instance })(at, 100e6 * (i + 1)),
    series('nodejs_eventloop_lag_p99_seconds', { instance })(at, 0.01 * (i + 1)), series('up', { instance })(at, 1),
    series('nodejs_gc_duration_seconds_sum', { instance, kind: 'minor' })(at, 0.01 * at)
  ])
  const signals = signalsOf('nodejs', scrape)
  expect(signals?.cpuUsageRatio).toBeCloseTo(0.4)
  expect(signals?.garbageCollectionRatio).toBeCloseTo(0.01)
  expect(signals).toMatchObject({ memoryUsageRatio: 0.75, residentMemoryBytes: 150e6, eventLoopLagSeconds: 0.02, readyReplicas: 2 })
})

describe('http', () => {
  test.each(['status', 'code', 'status_code', 'http_response_status_code'])('finds the status in the label %s', (label) => {
    const signals = signalsOf('http', (at) => [series('http_requests_total', { [label]: '200' })(at, 30 * at), series('http_requests_total', { [label]: '502' })(at, 10 * at)])
    expect(signals).toEqual({ requestsPerSecond: 40, errorRatio: 0.25 })
  })

  test.each(['http_request_duration_seconds', 'http_server_requests_seconds', 'http_server_request_duration_seconds'])('reads rate and time from %s', (name) => {
    expect(signalsOf('http', (at) => [series(`${name}_count`, { status: '200' })(at, 20 * at), series(`${name}_sum`, { status: '200' })(at, 5 * at)]))
      .toEqual({ requestsPerSecond: 20, errorRatio: 0, responseTimeSeconds: 0.25 })
  })

  test('has no error ratio where no series has a status', () => {
    expect(signalsOf('http', (at) => [series('http_requests_total')(at, 30 * at)])).toEqual({ requestsPerSecond: 30 })
  })
})
