import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectDefaultMetrics, Counter, Histogram, openMetricsContentType, Registry } from 'prom-client'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Point, Sample } from '../../src/domain.ts'
import { assemble } from '../../src/ingest/assemble.ts'
import { expositionFormat, parseExposition } from '../../src/ingest/exposition.ts'
import { resolveSignals } from '../../src/ingest/mapping.ts'
import { createOutbound } from '../../src/ingest/outbound.ts'
import { decodeWriteRequest, type WriteRequest } from '../../src/ingest/remote-write.ts'
import { fetchExposition } from '../../src/ingest/scrape.ts'
import { openServer, readAll } from '../support/http-server.ts'
import { haveProgram, startInstalled, waitFor } from '../support/installed-programs.ts'
import { freePort } from '../support/ports.ts'

const haveNodeExporter = haveProgram('prometheus-node-exporter')
const havePrometheus = haveProgram('prometheus')
const labels = { job: 'node', instance: 'this' }

/** What scrapes at 15 s and later, until 30 s, say about the step that ends at 30 s. */
function lastSample (points: readonly Point[], preset: 'node-exporter' | 'nodejs'): Sample | undefined {
  const later: Point = { ...points[0], at: 30_001 }
  return assemble(null, [...points, later], resolveSignals(preset), { service: 'node', stepSeconds: 15, lateSeconds: 0 }).samples.at(-1)
}

describe.skipIf(!haveNodeExporter)(`node exporter${haveNodeExporter ? '' : ' (prometheus-node-exporter is not installed)'}`, () => {
  test('two scrapes give the signals of the machine', async () => {
    const port = await freePort()
    startInstalled('prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${port}`])
    const outbound = createOutbound()
    onTestFinished(() => outbound.close())
    const scrape = (at: number) => fetchExposition({ url: `http://127.0.0.1:${port}/metrics`, timeoutSeconds: 10, maxBytes: 5e6, labels }, at, outbound)

    const first = await waitFor('a scrape', async () => (await scrape(15_000)).reason === null ? true : undefined, { seconds: 10 })
      .then(() => scrape(15_000))
    expect(first.points.length).toBeGreaterThan(200)
    await new Promise((resolve) => { setTimeout(resolve, 1500) })
    const second = await scrape(16_500)
    const { signals } = lastSample([...first.points, ...second.points], 'node-exporter')!

    expect(signals.cpuUsageRatio).toBeGreaterThanOrEqual(0)
    expect(signals.cpuUsageRatio).toBeLessThanOrEqual(1)
    expect(signals.memoryUsageRatio).toBeGreaterThan(0)
    expect(signals.memoryUsageRatio).toBeLessThan(1)
    expect(signals.readyReplicas).toBe(1)
  })
})

describe('prom-client', () => {
  /** Its own registry, after some work so that the clocks of counters have moved. */
  async function expositions (contentType: string | undefined) {
    const registry = new Registry()
    if (contentType) registry.setContentType(contentType as never)
    collectDefaultMetrics({ register: registry })
    const requests = new Counter({ name: 'http_requests_total', help: 'Requests', labelNames: ['status'], registers: [registry] })
    const durations = new Histogram({ name: 'http_request_duration_seconds', help: 'Line\nfeed \\ "quoted"', labelNames: ['path'], registers: [registry] })
    const scrape = async (at: number) => parseExposition(await registry.metrics(), { format: expositionFormat(registry.contentType), at })
      .concat({ metric: 'up', labels: [], at, value: 1 })
    requests.inc({ status: '200' }, 10)
    durations.observe({ path: '/a"b\\c\nd' }, 0.3)
    const first = await scrape(15_000)
    requests.inc({ status: '200' }, 30)
    durations.observe({ path: '/a"b\\c\nd' }, 0.5)
    for (const start = process.cpuUsage(); process.cpuUsage(start).user < 50_000;);
    return { format: expositionFormat(registry.contentType), first, second: await scrape(30_000) }
  }

  test.each([{ contentType: undefined, format: 'text' }, { contentType: openMetricsContentType, format: 'openmetrics' }])('default metrics in $format give the signals of the process', async ({ contentType, format }) => {
    const { format: read, first, second } = await expositions(contentType)
    expect(read).toBe(format)
    const { signals } = lastSample([...first, ...second], 'nodejs')!
    // At least 50 ms of CPU were used between the scrapes, which are given as 15 s apart.
    expect(signals.cpuUsageRatio).toBeGreaterThan(0.002)
    expect(signals.memoryUsageRatio).toBeGreaterThan(0)
    expect(signals.memoryUsageRatio).toBeLessThanOrEqual(1)
    expect(signals.residentMemoryBytes).toBeGreaterThan(1e7)
    expect(signals).toMatchObject({ readyReplicas: 1 })
  })

  test('labels and values pass through both formats alike', async () => {
    const [text, openMetrics] = await Promise.all([expositions(undefined), expositions(openMetricsContentType)])
    for (const { second } of [text, openMetrics]) {
      expect(second.find(({ metric }) => metric === 'http_requests_total')).toMatchObject({ labels: [['status', '200']], value: 40 })
      expect(second.find(({ metric }) => metric === 'http_request_duration_seconds_sum')).toMatchObject({ labels: [['path', '/a"b\\c\nd']], value: 0.8 })
    }
  })
})

const haveBoth = haveNodeExporter && havePrometheus

describe.skipIf(!haveBoth)(`Prometheus${haveBoth ? '' : ' (prometheus or prometheus-node-exporter is not installed)'}`, () => {
  test('writes what it scrapes, and markers for what vanished', async () => {
    const requests: WriteRequest[] = []
    const receiver = await openServer(async (request, response) => {
      const { 'content-type': contentType, 'content-encoding': contentEncoding } = request.headers
      requests.push(decodeWriteRequest({ body: await readAll(request), contentType, contentEncoding }))
      response.writeHead(204).end()
    })
    const [exporterPort, prometheusPort] = [await freePort(), await freePort()]
    const exporter = startInstalled('prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${exporterPort}`])
    const directory = await mkdtemp(join(tmpdir(), 'prescale-prometheus-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
    await writeFile(join(directory, 'prometheus.yml'), JSON.stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [{ job_name: 'node', static_configs: [{ targets: [`127.0.0.1:${exporterPort}`] }] }],
      remote_write: [{ url: `${receiver.url}/api/v1/write`, queue_config: { batch_send_deadline: '1s', max_samples_per_send: 500 } }]
    }))
    startInstalled('prometheus', [
      `--config.file=${join(directory, 'prometheus.yml')}`, '--enable-feature=agent', `--storage.agent.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`, '--log.level=error'
    ])
    const points = () => requests.flatMap((request) => request.points)
    const idleTimes = (): Point[] => points().filter(({ metric, labels }) => metric === 'node_cpu_seconds_total' && labels.some(([, value]) => value === 'idle'))
    // The second of them gives a rate, and it takes two more until the step of that one is closed, lateness included.
    await waitFor('five values of the idle time', () => new Set(idleTimes().map(({ at }) => at)).size >= 5 || undefined, { seconds: 30 })

    expect(requests.every(({ version, invalid }) => version === 1 && invalid.count === 0)).toBe(true)
    expect(requests.reduce((sum, { written }) => sum + written.samples, 0)).toBe(points().length)
    expect(idleTimes()[0].labels).toEqual(expect.arrayContaining([['instance', `127.0.0.1:${exporterPort}`], ['job', 'node'], ['mode', 'idle']]))
    const { samples } = assemble(null, points(), resolveSignals('node-exporter'), { service: 'node', stepSeconds: 1, lateSeconds: 1 })
    expect(samples.some(({ signals }) => signals.cpuUsageRatio >= 0 && signals.memoryUsageRatio > 0 && signals.readyReplicas === 1)).toBe(true)

    exporter.kill('SIGKILL')
    await waitFor('staleness markers', () => points().some(({ metric, stale }) => metric === 'node_memory_MemTotal_bytes' && stale) || undefined, { seconds: 15 })
    await waitFor('up = 0', () => points().some(({ metric, value }) => metric === 'up' && value === 0) || undefined, { seconds: 15 })
  }, 60_000)
})
