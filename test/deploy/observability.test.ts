import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTestApp, decisionOf, now } from '../api/support.ts'

const root = resolve(import.meta.dirname, '../..')
const havePromtool = spawnSync('which', ['promtool']).status === 0
const needsPromtool = (subject: string) => havePromtool ? subject : `${subject} (skipped: promtool, of the package prometheus, is not installed)`

interface Target { readonly expr: string, readonly instant?: boolean, readonly datasource: { readonly uid: string } }
const dashboard = JSON.parse(readFileSync(join(root, 'deploy/grafana/dashboard.json'), 'utf8')) as {
  panels: { id: number, type: string, title: string, gridPos: { x: number, y: number, w: number, h: number }, targets?: Target[] }[]
}
const targets = dashboard.panels.flatMap(({ targets = [] }) => targets)
/** As Grafana fills its variables in. */
const queriesFor = (source: string) => targets.filter(({ datasource }) => datasource.uid === source).map(({ expr }) => expr.replaceAll('$service', '.*').replaceAll('$__rate_interval', '1m'))

/** Names of our own metrics, from where they are made; histograms have several. */
function madeMetrics (): Set<string> {
  const names = new Set<string>()
  for (const file of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))) {
    const text = readFileSync(join(root, 'src', file), 'utf8')
    for (const [, kind, name] of text.matchAll(/new (Counter|Gauge|Histogram)\(\{\s*name: '(prescale_\w+)'/g)) {
      names.add(name)
      if (kind === 'Histogram') for (const suffix of ['_bucket', '_count', '_sum']) names.add(name + suffix)
    }
  }
  return names
}
const usedMetrics = (text: string) => [...text.matchAll(/\bprescale_\w+/g)].map(([name]) => name)

describe('the Grafana dashboard', () => {
  it('asks prescale itself only what its query API understands', async () => {
    const test = await createTestApp()
    test.fakes.decisions.set('shop', decisionOf('shop'))
    test.fakes.history.set('shop', [decisionOf('shop')])
    const verdict = { asOf: now, score: 0.2, isAnomaly: false, severity: 'none' } as const
    test.fakes.verdicts.set('shop', {
      service: 'shop',
      ...verdict,
      threshold: 0.5,
      causes: [],
      maintenance: { action: 'no_action_needed', probability: 0, reason: '' },
      missingSignals: [],
      modelVersion: 'none'
    })
    test.fakes.summaries.push({ service: 'shop', asOf: now, decision: null, verdict })
    const queries = queriesFor('${prescale}') // eslint-disable-line no-template-curly-in-string
    expect(queries.length).toBeGreaterThan(5)
    for (const query of queries) {
      const range = new URLSearchParams({ query, start: String(now / 1000 - 60), end: String(now / 1000), step: '15' })
      const { statusCode, body } = await test.app.inject({ url: `/api/v1/query_range?${range}` })
      expect({ query, statusCode, body }).toMatchObject({ statusCode: 200 })
    }
    await test.close()
  })

  it('places panels beside each other, each with its own number', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => Array.from({ length: w * h }, (_, i) => `${x + i % w},${y + Math.floor(i / w)}`))
    expect(new Set(cells).size).toBe(cells.length)
  })

  it('and the alerts name only metrics that there are', () => {
    const made = madeMetrics()
    const used = [...queriesFor('${metrics}'), readFileSync(join(root, 'deploy/prometheus/alerts.yml'), 'utf8')].flatMap(usedMetrics) // eslint-disable-line no-template-curly-in-string
    expect(used.length).toBeGreaterThan(10)
    expect(used.filter((name) => !made.has(name))).toEqual([])
  })
})

describe.skipIf(!havePromtool)(needsPromtool('what Prometheus is given'), () => {
  const promtool = (...args: string[]) => execFileSync('promtool', args, { cwd: root, encoding: 'utf8' })

  it('has queries of the dashboard that Prometheus can read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'prescale-grafana-'))
    const rules = queriesFor('${metrics}').map((expr, i) => ({ record: `panel:${i}`, expr })) // eslint-disable-line no-template-curly-in-string
    writeFileSync(join(folder, 'rules.json'), JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
    expect(promtool('check', 'rules', join(folder, 'rules.json'))).toContain(`SUCCESS: ${rules.length} rules found`)
    rmSync(folder, { recursive: true })
  })

  it('has alerts that are valid, fire when they should and stay silent when not', () => {
    expect(promtool('check', 'rules', 'deploy/prometheus/alerts.yml')).toContain('SUCCESS')
    expect(promtool('test', 'rules', 'test/deploy/alerts.test.yml')).toContain('SUCCESS')
  })
})
