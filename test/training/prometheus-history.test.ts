import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseDuration, readPrometheus } from '../../training/prometheus-history.ts'
import { train } from '../../training/train.ts'

type Series = { metric: Record<string, string>, values: [number, string][] }
let server: Server
let url: string
let asked: URLSearchParams[] = []
/** What the query_range of each query answers; times in seconds. */
let answers: Record<string, (at: number[]) => Series[]> = {}

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request))
    asked.push(form)
    const [start, end, step] = ['start', 'end', 'step'].map(name => Number(form.get(name)))
    const at = Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, i) => start + i * step)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: answers[form.get('query')!]?.(at) ?? [] } }))
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => { server.close() })
beforeEach(() => { asked = [] })

const until = 1_700_000_030_000 // 1,699,999,980 and 50 s
const series = (metric: Record<string, string>, value: (at: number) => string) => (at: number[]): Series[] => [{ metric, values: at.map(time => [time, value(time)]) }]

describe('the history that a Prometheus server remembers', () => {
  it('is one row for each step, aligned, with a signal for each query; NaN and gaps are missing', async () => {
    answers = {
      load: series({}, at => String(at - 1_699_999_800)),
      cpu: at => [{ metric: {}, values: [[at[1], '0.5'], [at[2], 'NaN'], [at[3], '+Inf']] }]
    }
    const [history, ...others] = await readPrometheus({ url, sinceSeconds: 180, queries: { requestsPerSecond: 'load', cpuUsageRatio: 'cpu' }, until })
    expect(others).toEqual([])
    // From 180 s before the end, down to a whole minute: 1,699,999,800 to 1,699,999,980. A value speaks of the minute before it.
    expect(Array.from(history.at)).toEqual([1_699_999_740_000, 1_699_999_800_000, 1_699_999_860_000, 1_699_999_920_000])
    expect(history).toMatchObject({ name: 'prometheus', stepSeconds: 60, signals: ['requestsPerSecond', 'cpuUsageRatio'] })
    expect(Array.from(history.x)).toEqual([0, NaN, 60, 0.5, 120, NaN, 180, NaN])
    expect(asked.map(form => [form.get('start'), form.get('end'), form.get('step')])).toEqual(new Array(2).fill(['1699999800.000', '1699999980.000', '60']))
  })

  it('is fetched in pieces that Prometheus accepts', async () => {
    answers = { load: series({}, () => '1') }
    const [history] = await readPrometheus({ url, sinceSeconds: 14 * 86_400, queries: { requestsPerSecond: 'load' }, until })
    expect(asked).toHaveLength(2) // 20,161 points, at most 11,000 at once
    expect(history.at).toHaveLength(20_161)
    expect(history.x.every(value => value === 1)).toBe(true)
  })

  it('is told apart by a label where there are several services', async () => {
    answers = { load: at => [...series({ job: 'a' }, () => '1')(at), ...series({ job: 'b' }, () => '2')(at)] }
    const histories = await readPrometheus({ url, sinceSeconds: 60, queries: { requestsPerSecond: 'load' }, serviceLabel: 'job', until })
    expect(histories.map(({ name, x }) => [name, Array.from(x)])).toEqual([['a', [1, 1]], ['b', [2, 2]]])
  })

  it.each([
    { problem: 'has several answers', answer: (at: number[]) => [...series({ pod: '1' }, () => '1')(at), ...series({ pod: '2' }, () => '2')(at)], message: /The query for requestsPerSecond answers with 2 series where one is expected; sum them up, or name the label/ },
    { problem: 'has no answer', answer: () => [], message: /The query for requestsPerSecond has no answer in that time: load/ }
  ])('is refused where a query $problem', async ({ answer, message }) => {
    answers = { load: answer }
    await expect(readPrometheus({ url, sinceSeconds: 60, queries: { requestsPerSecond: 'load' }, until })).rejects.toThrow(message)
  })

  it('needs a query, and a server that answers', async () => {
    await expect(readPrometheus({ url, sinceSeconds: 60, queries: {}, until })).rejects.toThrow(/There is no query/)
    await expect(readPrometheus({ url: 'http://127.0.0.1:1', sinceSeconds: 60, queries: { load: 'load' }, until })).rejects.toMatchObject({ code: 'source-unreachable' })
  })

  it('is what models are trained from', async () => {
    answers = { load: series({}, at => (100 + 40 * Math.sin(at / 5000) + at % 11).toFixed(2)) }
    const directory = await mkdtemp(join(tmpdir(), 'prescale-prometheus-'))
    const reports = await train({
      prometheus: { url, sinceSeconds: 2 * 86_400, queries: { requestsPerSecond: 'load' }, until }, out: directory, rows: 300, trees: 2, threads: 1
    })
    expect(reports.map(({ name }) => name)).toEqual(['forecast', 'anomaly'])
    await rm(directory, { recursive: true })
  }, 60_000)
})

describe('parseDuration', () => {
  it.each([['90s', 90], ['30m', 1800], ['1.5h', 5400], ['14d', 1_209_600], ['2w', 1_209_600]])('reads %s as %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds)
  })

  it.each(['', '14', 'd', '-1d', '14 days'])('refuses %j', text => expect(() => parseDuration(text)).toThrow(/is no duration/))
})
