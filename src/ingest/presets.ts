import type { SignalMapping } from './signal-mapping.ts'

export const presetNames = ['node-exporter', 'cadvisor', 'nodejs', 'http', 'watt'] as const
export type PresetName = typeof presetNames[number]

/** `up` is written by whoever scrapes, one for each target; `count` leaves out those that are 0. */
const targetsThatAreUp: SignalMapping = { signal: 'readyReplicas', metric: 'up', kind: 'gauge', aggregate: 'count' }

/** Devices that repeat what another one has counted, or that never leave the machine. */
const realDisks = { device: '!/(dm-|md|loop|ram|zram|sr).*/' }
const realNetworks = { device: '!/lo|(veth|docker|br-|cali|flannel|cni|cilium|lxc|virbr|tun|tap|wg|dummy|bond).*/' }

/** prometheus/node_exporter 1.x, Linux. One replica is one machine. */
const nodeExporter: SignalMapping[] = [
  { signal: 'cpuUsageRatio', metric: 'node_cpu_seconds_total', match: { mode: 'idle' }, kind: 'counter', aggregate: 'mean', complement: true },
  {
    signal: 'memoryUsageRatio',
    metric: 'node_memory_MemAvailable_bytes',
    kind: 'gauge',
    per: { metric: 'node_memory_MemTotal_bytes', kind: 'gauge' },
    complement: true
  },
  { signal: 'diskIoBytesPerSecond', metric: '/node_disk_(read|written)_bytes_total/', match: realDisks, kind: 'counter' },
  { signal: 'networkInBytesPerSecond', metric: 'node_network_receive_bytes_total', match: realNetworks, kind: 'counter' },
  { signal: 'networkOutBytesPerSecond', metric: 'node_network_transmit_bytes_total', match: realNetworks, kind: 'counter' },
  targetsThatAreUp
]

/** The sums over a pod repeat its containers and have no container name; `POD` is the empty one that holds the network. */
const containers = { container: '!/|POD/' }
const cpuSeconds = { metric: 'container_cpu_usage_seconds_total', match: containers, kind: 'counter' } as const

/** cAdvisor as kubelet serves it at /metrics/cadvisor; limits first, then the requests that kube-state-metrics tells. */
const cadvisor: SignalMapping[] = [
  // The quota counts microseconds in each period of 100 ms: 50 000 is half a core.
  { signal: 'cpuUsageRatio', ...cpuSeconds, per: { metric: 'container_spec_cpu_quota', match: containers, kind: 'gauge' }, scale: 100_000 },
  { signal: 'cpuUsageRatio', ...cpuSeconds, per: { metric: 'kube_pod_container_resource_requests', match: { resource: 'cpu' }, kind: 'gauge' } },
  {
    signal: 'memoryUsageRatio',
    metric: 'container_memory_working_set_bytes',
    match: containers,
    kind: 'gauge',
    per: { metric: 'container_spec_memory_limit_bytes', match: containers, kind: 'gauge' }
  },
  { signal: 'diskIoBytesPerSecond', metric: '/container_fs_(reads|writes)_bytes_total/', match: containers, kind: 'counter' },
  { signal: 'networkInBytesPerSecond', metric: 'container_network_receive_bytes_total', match: { interface: '!lo' }, kind: 'counter' },
  { signal: 'networkOutBytesPerSecond', metric: 'container_network_transmit_bytes_total', match: { interface: '!lo' }, kind: 'counter' },
  { signal: 'threadCount', metric: 'container_threads', match: containers, kind: 'gauge' },
  { signal: 'readyReplicas', metric: 'kube_deployment_status_replicas_ready', kind: 'gauge' },
  // Every pod has one network of its own, so its first interface counts the pods.
  { signal: 'readyReplicas', metric: 'container_network_receive_bytes_total', match: { interface: 'eth0' }, kind: 'gauge', aggregate: 'count' }
]

/** What prom-client's collectDefaultMetrics writes. CPU is of one core, which is what one event loop can use. */
const nodejs: SignalMapping[] = [
  { signal: 'cpuUsageRatio', metric: 'process_cpu_seconds_total', kind: 'counter', aggregate: 'mean' },
  {
    signal: 'memoryUsageRatio',
    metric: 'nodejs_heap_size_used_bytes',
    kind: 'gauge',
    per: { metric: 'nodejs_heap_size_total_bytes', kind: 'gauge' }
  },
  { signal: 'residentMemoryBytes', metric: 'process_resident_memory_bytes', kind: 'gauge', aggregate: 'mean' },
  { signal: 'eventLoopLagSeconds', metric: 'nodejs_eventloop_lag_p99_seconds', kind: 'gauge', aggregate: 'max' },
  { signal: 'garbageCollectionRatio', metric: 'nodejs_gc_duration_seconds_sum', kind: 'counter', aggregate: 'sum', per: { metric: 'up', kind: 'gauge' } },
  targetsThatAreUp
]

/** Names that libraries use: plain convention, prom-client middleware, Micrometer (Spring), OpenTelemetry. */
const durations = ['http_request_duration_seconds', 'http_server_requests_seconds', 'http_server_request_duration_seconds']
const totals = ['http_requests_total', ...durations.map((name) => `${name}_count`)]
const statusLabels = ['status', 'code', 'status_code', 'http_response_status_code']

/**
 * Generic request metrics. The divisor of an error ratio matches only series that have the label: where a label is
 * unknown to the service there is no divisor, and the next alternative is asked.
 */
const http: SignalMapping[] = [
  ...totals.map((metric): SignalMapping => ({ signal: 'requestsPerSecond', metric, kind: 'counter' })),
  ...totals.flatMap((metric) => statusLabels.map((label): SignalMapping => ({
    signal: 'errorRatio',
    metric,
    match: { [label]: '/5../' },
    kind: 'counter',
    per: { metric, match: { [label]: '/.+/' }, kind: 'counter' }
  }))),
  ...durations.map((metric): SignalMapping => ({ signal: 'responseTimeSeconds', metric, kind: 'histogram' })),
  targetsThatAreUp
]

/** What pods with watt-extra send to /signals. The most loaded worker of the fleet is seen in the maximum. */
const watt: SignalMapping[] = [
  { signal: 'cpuUsageRatio', metric: 'watt_event_loop_utilization_ratio', kind: 'gauge', aggregate: 'mean' },
  { signal: 'busiestWorkerRatio', metric: 'watt_event_loop_utilization_ratio', kind: 'gauge', aggregate: 'max' },
  { signal: 'memoryUsageRatio', metric: 'watt_heap_used_bytes', kind: 'gauge', per: { metric: 'watt_heap_total_bytes', kind: 'gauge' } },
  targetsThatAreUp
]

export const presets: Readonly<Record<PresetName, readonly SignalMapping[]>> = { 'node-exporter': nodeExporter, cadvisor, nodejs, http, watt }
