import { describe, expect, onTestFinished, test } from 'vitest'
import { createOutbound } from '../../src/ingest/outbound.ts'
import { fetchExposition, type ScrapeTarget } from '../../src/ingest/scrape.ts'
import { openServer } from '../support/http-server.ts'

const at = 1_700_000_000_000
const textType = 'text/plain; version=0.0.4'

function scrape (url: string, target: Partial<ScrapeTarget> = {}) {
  const outbound = createOutbound()
  onTestFinished(() => outbound.close())
  return fetchExposition({ url, timeoutSeconds: 5, maxBytes: 10_000, labels: { job: 'shop', instance: 'a' }, ...target }, at, outbound)
}

const exporter = (body: string, contentType = textType, status = 200) =>
  openServer((_request, response) => { response.writeHead(status, contentType === '' ? {} : { 'content-type': contentType }).end(body) })

describe('a scrape', () => {
  test('gives the points of the exporter with the labels of the target, and up = 1 at the end', async () => {
    const { url } = await exporter('a{b="c"} 1\nd 2 1000\n')
    expect(await scrape(url)).toEqual({
      points: [
        { metric: 'a', labels: [['b', 'c'], ['job', 'shop'], ['instance', 'a']], at, value: 1 },
        { metric: 'd', labels: [['job', 'shop'], ['instance', 'a']], at: 1000, value: 2 },
        { metric: 'up', labels: [['job', 'shop'], ['instance', 'a']], at, value: 1 }
      ],
      reason: null
    })
  })

  test('reads what the content type says', async () => {
    const { url } = await exporter('a 1 1.5\n# EOF\n', 'application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect((await scrape(url)).points[0]).toMatchObject({ metric: 'a', at: 1500 })
  })

  test('names the instance by the host and port of the address', async () => {
    const { url, port } = await exporter('a 1\n')
    expect((await scrape(url, { labels: undefined })).points[0].labels).toEqual([['instance', `127.0.0.1:${port}`]])
  })

  test('keeps labels of the exporter under another name when the target has the same', async () => {
    const { url } = await exporter('a{job="x",exported_job="y",b="c"} 1\n')
    expect((await scrape(url)).points[0].labels).toEqual([['exported_exported_job', 'x'], ['exported_job', 'y'], ['b', 'c'], ['job', 'shop'], ['instance', 'a']])
  })

  test('asks for the plain format first', async () => {
    let accept: string | undefined
    const { url } = await openServer((request, response) => {
      accept = request.headers.accept
      response.setHeader('content-type', textType).end('')
    })
    expect((await scrape(url)).reason).toBeNull()
    expect(accept).toMatch(/^text\/plain;version=0\.0\.4,application\/openmetrics-text/)
  })
})

describe('a scrape that fails gives up = 0 and the reason', () => {
  test.each([
    { name: 'a status other than 200', body: 'a 1\n', status: 500, reason: 'answers with status 500' },
    { name: 'a redirect', body: '', status: 301, reason: 'status 301, and redirects are not followed' },
    { name: 'a page', body: '<html>', contentType: 'text/html', reason: 'content type "text/html" is not known' },
    { name: 'no content type', body: 'a 1\n', contentType: '', reason: 'There is no content type' },
    { name: 'text that is damaged', body: 'a 1\nb\n', reason: 'Line 2 is not valid' },
    { name: 'too much text', body: `# ${'x'.repeat(10_000)}\n`, reason: 'larger than the limit maxBytes' },
    { name: 'a limit', body: 'a{b="1",c="2"} 1\n', limits: { labelsPerSeries: 1 }, reason: 'the limit labelsPerSeries is 1' }
  ])('$name', async ({ body, status, contentType, limits, reason }) => {
    const { url } = await exporter(body, contentType, status)
    const result = await scrape(url, { limits })
    expect(result.points).toEqual([{ metric: 'up', labels: [['job', 'shop'], ['instance', 'a']], at, value: 0 }])
    expect(result.reason).toContain(reason)
  })

  test.each(['http://127.0.0.1:1/metrics', 'http://169.254.169.254/', 'nonsense'])('%s', async (url) => {
    const { points, reason } = await scrape(url)
    expect(points).toMatchObject([{ metric: 'up', value: 0 }])
    expect(reason).toMatch(/does not answer|never fetched|no address/)
  })
})
