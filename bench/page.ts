import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { chromium, type Page } from 'playwright-core'
import { startPrescale } from './prescale-process.ts'

/**
 * The fleet view in a browser with many services: how long until the first row, and how long the frames take while it is scrolled from end
 * to end and decisions flow in; beside it the same with ten services. Needs Chromium.
 * `node dist/bench/page.js [--services 5000] [--browser /usr/bin/chromium]` prints JSON.
 */
const { values: args } = parseArgs({ options: { services: { type: 'string', default: '5000' }, browser: { type: 'string', default: '/usr/bin/chromium' } } })
const sleep = (ms: number) => new Promise((resolve) => { setTimeout(resolve, ms) })
const perRequest = 1_000

/** One sample for each of some services. */
async function feed (address: string, names: readonly string[], at: number): Promise<void> {
  for (let from = 0; from < names.length; from += perRequest) {
    const samples = names.slice(from, from + perRequest).map((service, i) => {
      return { service, at, signals: { requestsPerSecond: 200 + 100 * Math.sin(i + at / 60_000), readyReplicas: 3 } }
    })
    const response = await fetch(`${address}/v1/samples`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ samples }) })
    if (response.status !== 202) throw new Error(`samples were answered ${response.status}: ${await response.text()}`)
  }
}

async function decided (address: string): Promise<number> {
  const { services } = await (await fetch(`${address}/v1/services`)).json() as { services: { decision: unknown }[] }
  return services.filter(({ decision }) => decision !== null).length
}

/** Milliseconds between frames while the list is scrolled from its first to its last row in four seconds. */
const scroll = (page: Page) => page.evaluate(`new Promise((resolve) => {
  const scroller = document.querySelector('.scroller')
  const frames = []
  const start = performance.now()
  let before = start
  const step = (now) => {
    frames.push(now - before)
    before = now
    const share = Math.min(1, (now - start) / 4000)
    scroller.scrollTop = share * (scroller.scrollHeight - scroller.clientHeight)
    if (share < 1) requestAnimationFrame(step)
    else resolve({ frames: frames.slice(1), rows: document.querySelectorAll('tbody tr').length })
  }
  requestAnimationFrame(step)
})`) as Promise<{ frames: number[], rows: number }>

async function measure (services: number) {
  const prescale = await startPrescale(`limits: { services: ${services + 1} }\ndefaults: { target: { requestsPerSecond: 100 } }\nlogLevel: warn\n`)
  const browser = await chromium.launch({ executablePath: args.browser, args: ['--no-sandbox'] })
  const names = Array.from({ length: services }, (_, i) => `service-${i}`)
  try {
    const end = Date.now() - 60_000
    for (const at of [end - 120_000, end - 60_000, end]) await feed(prescale.url, names, at)
    while (await decided(prescale.url) < services) await sleep(200)
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    const started = performance.now()
    await page.goto(prescale.url)
    await page.locator('tbody .replicas').first().waitFor()
    const firstRowMs = performance.now() - started
    // What flows in meanwhile: a decision and a verdict of every tenth service.
    const flowing = feed(prescale.url, names.filter((_, i) => i % 10 === 0), Date.now())
    const { frames, rows } = await scroll(page)
    await flowing
    const sorted = frames.toSorted((a, b) => a - b)
    const at = (share: number) => Number(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1))
    return { services, firstRowMs: Math.round(firstRowMs), rowsInPage: rows, frameMs: { p50: at(0.5), p95: at(0.95), max: at(1) } }
  } finally {
    await browser.close()
    await prescale.stop()
  }
}

if (!existsSync(args.browser)) throw new Error(`There is no browser at ${args.browser}; --browser names one.`)
const [few, many] = [await measure(10), await measure(Number(args.services))]
process.stdout.write(JSON.stringify({ node: process.version, few, many }, null, 2) + '\n')
