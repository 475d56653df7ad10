import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram, temporaryFolder } from './support/program.ts'

const folder = temporaryFolder('backtest')
const run = (...args: string[]) => runProgram(['backtest', ...args], { cwd: folder.path })
const write = (name: string, content: string) => { writeFileSync(join(folder.path, name), content) }
/** Half a day of minutes: 200 requests/s, and 900 for ten minutes of every hour. */
const loadAt = (minute: number) => minute % 60 >= 20 && minute % 60 < 30 ? 900 : 200
const minutes = Array.from({ length: 720 }, (_, minute) => minute)

let prometheus: Server
let url: string

beforeAll(async () => {
  write('load.csv', ['at,requestsPerSecond', ...minutes.map((minute) => `${60 * minute},${loadAt(minute)}`)].join('\n'))
  prometheus = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request))
    const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)))
    const times = Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, i) => start + i * step)
    const values = times.map((at) => [at, String(loadAt(Math.round(at / 60)))])
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [{ metric: { app: 'shop' }, values }] } }))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => prometheus.once('listening', resolve))
  url = `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}`
})
afterAll(() => {
  prometheus.close()
  folder.remove()
})

describe('prescale backtest', () => {
  it('compares prescale with the others on a trace', async () => {
    const { code, stdout } = await run('--trace', 'load.csv', '--season-seconds', '3600', '--cost-per-replica-hour', '0.5', '--cost-per-violation-minute', '2', '--json')
    expect(code).toBe(0)
    const { histories: [report] } = JSON.parse(stdout)
    // 60 % of 720 minutes are for learning.
    expect(report).toMatchObject({ name: 'load', from: 0, scoredFrom: 432 * 60_000, to: 720 * 60_000, stepSeconds: 60 })
    expect(report.rows.map(({ autoscaler }: { autoscaler: string }) => autoscaler)).toEqual(['prescale', 'hpa', 'season', 'holt-winters', 'static', 'oracle'])
    const [prescale, hpa, , , , oracle] = report.rows
    expect(oracle).toMatchObject({ violationRatio: 0, worstHour: null })
    expect(hpa.violationRatio).toBeGreaterThan(0.05)
    expect(hpa.worstHour.violationRatio).toBeGreaterThan(0.05)
    const [instances, violations] = [0.5 * prescale.instanceHours, 2 * prescale.violationMinutes]
    expect(prescale.money).toEqual({ instances: expect.closeTo(instances), violations: expect.closeTo(violations), total: expect.closeTo(instances + violations) })
  })

  it('writes a page with plots that needs nothing from anywhere', async () => {
    write('<load>.csv', readFileSync(join(folder.path, 'load.csv'), 'utf8'))
    const { code, stdout } = await run('--trace', '<load>.csv', '--against', 'hpa', 'oracle', '--report', 'report.html')
    expect(code).toBe(0)
    expect(stdout).toContain('report.html: a page with plots of it')
    const page = readFileSync(join(folder.path, 'report.html'), 'utf8')
    expect(page).toMatch(/^<!doctype html>/)
    expect(page).not.toMatch(/<script|<link|https?:|src=/)
    expect(page).toContain('<h2>&lt;load&gt;</h2>')
    expect(page.match(/<tr( class="ours")?><th scope="row">/g)).toHaveLength(3)
    expect(page.match(/<svg /g)).toHaveLength(2)
    expect(page).toMatch(/prescale takes \d+ % (fewer|more) instance-hours than HPA, with [\d.]+ % violations where HPA has [\d.]+ %\./)
    expect(await run('--trace', 'load.csv', '--against', 'hpa', '--report', 'nowhere/report.html')).toMatchObject({ code: 1, stderr: expect.stringContaining('nowhere/report.html: there is no such folder to write to.') })
  })

  it('shows a table with a line for each, other settings of prescale among them', async () => {
    const { code, stdout } = await run('--trace', 'load.csv', '--against', 'hpa', 'oracle', '--what-if', 'minReplicas=9', '--what-if', 'maxReplicas=4,startUpSeconds=60')
    expect(code).toBe(0)
    const lines = stdout.split('\n')
    expect(lines[0]).toBe('load, 1970-01-01 07:12 to 1970-01-01 12:00 UTC')
    expect(lines[1]).toMatch(/^AUTOSCALER +VIOLATIONS +INSTANCE-HOURS +COST +CHANGES\/H +WORST HOUR$/)
    expect(lines.slice(2, 7).map((line) => line.split('  ')[0])).toEqual(['prescale', 'hpa', 'oracle', 'prescale minReplicas=9', 'prescale maxReplicas=4,startUpSeconds=60'])
    // Nine instances carry 900 requests/s: nothing violates, and 4.8 hours of 9 are paid for.
    expect(lines[5]).toMatch(/^prescale minReplicas=9 +0\.00 % +\d+\.\d/)
  })

  it('takes history from the Prometheus of the configuration, and the settings of the service', async () => {
    write('prescale.yaml', `sources: { prometheus: [{ url: '${url}', serviceLabel: app, signals: { requestsPerSecond: load } }] }
services: { shop: { target: { requestsPerSecond: 70 }, minReplicas: 2, startUpSeconds: 120, seasonSeconds: 3600 } }`)
    const { code, stdout } = await run('--service', 'shop', '--since', '12h', '--against', 'static', '--json')
    expect(code).toBe(0)
    const { histories: [report] } = JSON.parse(stdout)
    expect(report).toMatchObject({ name: 'shop', to: expect.any(Number) })
    // 900 / (70 / 0.7) = 9 instances.
    expect(report.rows[1]).toMatchObject({ autoscaler: 'static', violationRatio: 0, instanceHours: expect.closeTo(9 * report.rows[1].hours) })
  })

  it.each([
    { args: [], says: 'Either --trace or --service is needed, and not both.' },
    { args: ['--trace', 'load.csv', '--service', 'shop'], says: 'Either --trace or --service is needed, and not both.' },
    { args: ['--trace', 'none.csv'], says: 'none.csv: there is no such file.' },
    { args: ['--trace', 'none.csv', '--report', 'nowhere/report.html'], says: 'nowhere/report.html: there is no such folder to write to.' },
    { args: ['--trace', 'load.csv', '--train-rows', '700'], says: 'load: 720 steps, of which the first 700 are for learning, leave 20; at least 60 are needed.' },
    { args: ['--trace', 'load.csv', '--min', '5', '--max', '4'], says: '--min 5 is more than --max 4.' },
    { args: ['--trace', 'load.csv', '--cost-per-replica-hour', '1'], says: 'only say something together' },
    { args: ['--trace', 'load.csv', '--what-if', 'speed=3'], says: '--what-if speed=3: speed cannot be changed; what can be is minReplicas, maxReplicas, target' },
    { args: ['--trace', 'load.csv', '--what-if', 'minReplicas=lots'], says: 'minReplicas is "lots"; a whole number from 0 is expected.' },
    { args: ['--trace', 'load.csv', '--what-if', 'minReplicas=300'], says: 'minReplicas would be 300, more than maxReplicas, which is 200.' },
    { args: ['--trace', 'load.csv', '--what-if', 'costPerReplicaHour=1'], says: 'only say something together' },
    { args: ['--trace', 'load.csv', '--what-if', 'minReplicas'], says: 'Expected settings such as minReplicas=3' },
    { args: ['--trace', 'load.csv', '--against', 'luck'], says: 'hpa, season, holt-winters, static, oracle' },
    { args: ['--service', 'shop', '--config', 'empty.yaml'], says: 'has no source under sources.prometheus' },
    { args: ['--service', 'shop', '--config', 'other.yaml'], says: 'knows nothing of bakery; it answered for shop.', service: 'bakery' },
    { args: ['--service', 'shop', '--config', 'other.yaml', '--since', 'ever'], says: '"ever" is no duration' },
    { args: ['--trace', 'silent.csv'], says: 'silent.csv: there is no load in it.' },
    { args: ['--trace', 'back.csv'], says: 'back.csv: at is 0 after 60; it must rise from row to row.' }
  ])('says in a sentence what is wrong: $args', async ({ args, says, service }) => {
    write('empty.yaml', 'services: { shop: {} }')
    write('other.yaml', `sources: { prometheus: [{ url: '${url}', serviceLabel: app, signals: { requestsPerSecond: load } }] }`)
    write('silent.csv', 'at,requestsPerSecond\n0,\n60,\n')
    write('back.csv', 'at,requestsPerSecond\n0,1\n60,2\n0,3\n')
    const { code, stderr } = await run(...args.map((arg) => arg === 'shop' && service !== undefined ? service : arg))
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(says) })
    expect(stderr).not.toMatch(/\bat .+\.js:\d+/)
  })
})
