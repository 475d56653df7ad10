import { parseArgs } from 'node:util'
import snappy from 'snappyjs'
import type { Point } from '../src/domain.ts'
import { assemble, type SeriesState } from '../src/ingest/assemble.ts'
import { parseExposition, type ExpositionFormat } from '../src/ingest/exposition.ts'
import { resolveSignals } from '../src/ingest/mapping.ts'
import { decodeWriteRequest } from '../src/ingest/remote-write.ts'
import { createRouter } from '../src/ingest/router.ts'
import { createRandom } from '../src/ml/random.ts'

/**
 * Reading of Prometheus' formats beside the least that can be done with the same input, on one core, in one run:
 * expositions beside one regular expression a line (which checks nothing), remote write beside snappyjs alone.
 * `node dist/bench/ingest.js [--seconds 2]` prints JSON. Input is seeded; only the times differ between runs.
 */
const { values: args } = parseArgs({ options: { seconds: { type: 'string', default: '2' } } })
const secondsEach = Number(args.seconds)

const metrics = ['http_requests_total', 'node_cpu_seconds_total', 'process_resident_memory_bytes', 'container_network_receive_bytes_total', 'up']

function makePoints (count: number, at: number): Point[] {
  const random = createRandom(7)
  return Array.from({ length: count }, (_, i): Point => ({
    metric: metrics[i % metrics.length],
    labels: [
      ['code', ['200', '404', '500'][i % 3]], ['cpu', String(i % 64)], ['instance', `10.0.${i % 7}.${i % 250}:9100`], ['job', 'shop'],
      ['mode', ['idle', 'user', 'system'][i % 3]], ['pod', `shop-7d9f8b6c5-${i.toString(36).padStart(5, '0')}`]
    ],
    at,
    value: i % 4 === 0 ? Math.round(random() * 1e6) : random() * 1e9
  }))
}

function render (points: readonly Point[], format: ExpositionFormat): string {
  // A family's lines stand together.
  const lines = [...points].sort((a, b) => a.metric < b.metric ? -1 : a.metric > b.metric ? 1 : 0)
    .map(({ metric, labels, value }) => `${metric}{${labels.map(([name, text]) => `${name}="${text}"`).join(',')}} ${value}\n`)
  return lines.join('') + (format === 'openmetrics' ? '# EOF\n' : '')
}

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)/
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="([^"]*)"/g

function naive (text: string, at: number): Point[] {
  return text.split('\n').flatMap((row): Point[] => {
    const [, metric, labels = '', value] = line.exec(row) ?? []
    const pairs = [...labels.matchAll(label)].map(([, name, text]): [string, string] => [name, text])
    return metric === undefined ? [] : [{ metric, labels: pairs, at, value: Number(value) }]
  })
}

function encode (points: readonly Point[]): Buffer {
  const field = (number: number, content: Buffer) => Buffer.concat([Buffer.from([number * 8 + 2]), varint(content.length), content])
  const series = points.map(({ metric, labels, at, value }) => {
    const double = Buffer.alloc(8)
    double.writeDoubleLE(value)
    const sample = Buffer.concat([Buffer.from([9]), double, Buffer.from([16]), varint(at)])
    const pairs: (readonly [string, string])[] = [['__name__', metric], ...labels]
    const encoded = pairs.map((pair) => field(1, Buffer.concat(pair.map((text, i) => field(i + 1, Buffer.from(text))))))
    return field(1, Buffer.concat([...encoded, field(2, sample)]))
  })
  return snappy.compress(Buffer.concat(series))
}

function varint (value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest % 128 + (rest >= 128 ? 128 : 0))
    if (rest < 128) return Buffer.from(bytes)
  }
}

/** CPU milliseconds of one call, over `--seconds` of CPU; a quarter of that before is for the compiler. */
function cpuMs (call: () => unknown): number {
  const run = (ms: number) => {
    const before = process.cpuUsage()
    for (let calls = 1; ; calls++) {
      call()
      const { user, system } = process.cpuUsage(before)
      if (user + system >= ms * 1000) return (user + system) / 1000 / calls
    }
  }
  run(secondsEach * 250)
  return run(secondsEach * 1000)
}

const at = 1_700_000_000_000
const scrape = makePoints(5000, at)
const perSecond = (ms: number) => Math.round(scrape.length / ms * 1000)
const text = render(scrape, 'text')
const openMetrics = render(scrape, 'openmetrics')
const body = encode(makePoints(500, at))
const services = Array.from({ length: 1000 }, (_, i) => (
  { service: `s${i}`, match: { job: i === 500 ? 'shop' : `s${i}` }, mappings: resolveSignals('http') }))
const router = createRouter(services)

/** Scrapes 15 s apart of all series that one service has. */
function assembleMs (): number {
  const mappings = resolveSignals(['http', 'node-exporter'])
  let state: SeriesState | null = null
  let now = at
  return cpuMs(() => {
    now += 15_000
    state = assemble(state, scrape.map((point) => ({ ...point, at: now })), mappings, { service: 'shop', stepSeconds: 15, lateSeconds: 5 }).series
  })
}

const report = {
  exposition: {
    samples: scrape.length,
    bytes: text.length,
    textSamplesPerSecond: perSecond(cpuMs(() => parseExposition(text, { format: 'text', at }))),
    openMetricsSamplesPerSecond: perSecond(cpuMs(() => parseExposition(openMetrics, { format: 'openmetrics', at }))),
    naiveSamplesPerSecond: perSecond(cpuMs(() => naive(text, at)))
  },
  remoteWrite: {
    samples: 500,
    bytesOnTheWire: body.length,
    bytesDecoded: snappy.uncompress(body).length,
    decodeMs: cpuMs(() => decodeWriteRequest({ body, contentType: 'application/x-protobuf', contentEncoding: 'snappy' })),
    snappyjsAloneMs: cpuMs(() => snappy.uncompress(body))
  },
  route: { services: services.length, pointsPerSecond: perSecond(cpuMs(() => router.route(scrape))) },
  assemble: { series: scrape.length, pointsPerSecond: perSecond(assembleMs()) }
}
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
