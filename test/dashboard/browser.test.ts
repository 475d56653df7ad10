import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { haveBrowser, needsBrowser, openBrowser } from '../support/browser.ts'
import { freePort } from '../support/ports.ts'
import { startPrescale, temporaryFolder } from '../support/program.ts'
import { haveRedis, needsRedis, until } from '../support/redis.ts'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** What a page that stays open meets while prescale ends and begins again; one that ends answers 503. */
const away = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|status of 503/

/** What axe-core finds that keeps people from using the page. */
async function seriousViolations (page: Page): Promise<string[]> {
  // The policy of the page forbids foreign scripts; the debugger may do what pages may not.
  await page.evaluate(axeSource)
  return await page.evaluate(async () => {
    interface Violation { id: string, impact: string, nodes: { html: string, failureSummary: string }[] }
    const { axe } = globalThis as unknown as { axe: { run (options: object): Promise<{ violations: Violation[] }> } }
    const { violations } = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
    return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join('\n')}`)
  })
}

/** In the light, and then in the dark. */
async function inBothThemes (page: Page, look: (theme: 'light' | 'dark') => Promise<void>): Promise<void> {
  for (const theme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme: theme })
    await look(theme)
  }
}

describe.skipIf(!haveBrowser || !haveRedis)(needsBrowser(needsRedis('the page in a browser')), () => {
  let prescale: Awaited<ReturnType<typeof startPrescale>>
  let browser: Awaited<ReturnType<typeof openBrowser>>
  const folder = temporaryFolder('page')
  let port: number
  const start = async () => { prescale = await startPrescale(['--port', String(port)], { cwd: folder.path }) }

  beforeAll(async () => {
    port = await freePort()
    await start()
    browser = await openBrowser()
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await prescale?.stop()
    folder.remove()
  })

  const visit = async (hash: string, options: Parameters<typeof browser.open>[0] = {}) => {
    const page = await browser.open(options)
    await page.goto(`${prescale.address}/${hash}`)
    return page
  }
  const shop = async (options: Parameters<typeof browser.open>[0] = {}) => {
    const page = await visit('#/services/demo-shop', options)
    await page.waitForSelector('.plot canvas')
    return page
  }

  it('shows the fleet with its load, replicas and behaviour, live, and the demo as a demo', async () => {
    const page = await visit('')
    const row = page.locator('tbody tr', { hasText: 'demo-shop' })
    await row.locator('.spark-load').waitFor()
    expect(await row.locator('.demo').textContent()).toBe('demo')
    expect(await row.locator('.col-replicas').textContent()).toMatch(/^\d+ → .*\d+$/)
    await row.locator('.source-forecast').waitFor()
    await page.locator('.status.live').waitFor()
    const path = () => row.locator('.spark-load').getAttribute('d')
    const before = await path()
    await until(async () => await path() !== before)
    await inBothThemes(page, async (theme) => {
      await browser.shoot(page, `fleet-${theme}`)
      expect(await seriousViolations(page)).toEqual([])
    })
    await page.close()
  })

  it('finds, filters and sorts services, also with the keyboard alone', async () => {
    const page = await visit('')
    await page.locator('tbody a', { hasText: 'demo-shop' }).waitFor()
    await page.getByLabel('Search services by name').fill('nothing like it')
    await page.getByText('No service is like that.').waitFor()
    await page.getByLabel('Search services by name').fill('shop')
    await until(async () => await page.locator('tbody a').count() === 1)
    await page.getByRole('button', { name: 'Ready → wanted' }).focus()
    await page.keyboard.press('Enter')
    expect(await page.locator('th.col-replicas').getAttribute('aria-sort')).toBe('descending')
    await page.locator('tbody a').focus()
    await page.keyboard.press('Enter')
    await page.locator('h1', { hasText: 'demo-shop' }).waitFor()
    await page.close()
  })

  it('explains the present decision, and a past one that is asked for in a plot or in the list', async () => {
    const page = await shop()
    await page.locator('#why h2', { hasText: /^Why \d+\?$/ }).waitFor()
    expect(await page.locator('#why .chosen').textContent()).toMatch(/forecast\d+.*– followed/)
    await page.locator('.u-over').first().click({ position: { x: 250, y: 60 } })
    await page.locator('#why h2', { hasText: /^Why \d+ then\?$/ }).waitFor()
    expect(await page.locator('#why').textContent()).toContain('What was recommended')
    await inBothThemes(page, async (theme) => {
      await page.waitForTimeout(300)
      await browser.shoot(page, `service-${theme}`)
      expect(await seriousViolations(page)).toEqual([])
    })
    await page.getByRole('button', { name: 'Back to now' }).click()
    await page.locator('#why h2', { hasText: /^Why \d+\?$/ }).waitFor()
    await page.locator('.changes button').nth(1).click()
    await page.locator('#why h2', { hasText: /then\?$/ }).waitFor()
    await page.close()
  })

  it('zooms all plots together, changes the range, and lets the numbers be taken away', async () => {
    const page = await shop()
    const box = (await page.locator('.u-over').first().boundingBox())!
    await page.mouse.move(box.x + 100, box.y + 50)
    await page.mouse.down()
    await page.mouse.move(box.x + 260, box.y + 50, { steps: 4 })
    await page.mouse.up()
    await page.getByRole('button', { name: 'Reset zoom' }).click()
    await page.getByRole('button', { name: '15 min' }).click()
    expect(new URL(page.url()).hash).toBe('#/services/demo-shop?range=900')
    for (const [name, file] of [['CSV', 'demo-shop.csv'], ['PNG', 'demo-shop.png']] as const) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()])
      expect(download.suggestedFilename()).toBe(file)
      const content = readFileSync((await download.path()))
      if (name === 'CSV') expect(content.toString()).toMatch(/^time,load,capacity,.*\n\d{4}-/)
      else expect(content.subarray(1, 4).toString()).toBe('PNG')
    }
    await page.close()
  })

  it('sets an override with its reason, shows it, sees the next decision obey it, and lifts it', async () => {
    const page = await shop()
    await page.getByRole('button', { name: 'Hold, pause or force…' }).click()
    await page.getByLabel('Reason').fill('sale at noon')
    await page.waitForTimeout(200)
    await browser.shoot(page, 'dialog-light')
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.locator('.override', { hasText: 'Held: it may grow and does not shrink – sale at noon' }).waitFor()
    const overrides = async () => (await prescale.ask('/v1/services/demo-shop/overrides')).body['overrides']
    expect(await overrides()).toMatchObject([{ kind: 'hold', reason: 'sale at noon', until: expect.any(Number), by: 'anybody' }])

    await page.getByRole('button', { name: 'Hold, pause or force…' }).click()
    await page.getByLabel('Force').check()
    await page.getByLabel('Replicas', { exact: true }).fill('33')
    await page.getByLabel('Reason').fill('load test')
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.locator('.override', { hasText: 'Forced to 33 replicas – load test' }).waitFor()
    await page.locator('#why h2', { hasText: 'Why 33?' }).waitFor()
    await page.locator('#why li', { hasText: 'override' }).waitFor()
    expect(await page.locator('#why li', { hasText: 'override' }).textContent()).toMatch(/→ 33Forced until .*: load test/)
    await browser.shoot(page, 'override-light')

    await page.getByRole('button', { name: 'Lift' }).click()
    await page.locator('.override').waitFor({ state: 'hidden' })
    expect(await overrides()).toEqual([])

    await page.getByRole('button', { name: 'Hold, pause or force…' }).click()
    await page.locator('select[name="ttl"]').selectOption('until it is lifted')
    await page.getByLabel('Reason').fill('until we know more')
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.locator('.override', { hasText: 'until we know more – until it is lifted' }).waitFor()
    expect((await prescale.ask('/v1/services/demo-shop')).body['settings']).toMatchObject({ maxReplicas: 40, override: { hold: true, reason: 'until we know more' } })
    await page.getByRole('button', { name: 'Lift' }).click()
    await page.locator('.override').waitFor({ state: 'hidden' })
    expect((await prescale.ask('/v1/services/demo-shop')).body['settings'].override).toBeUndefined()
    await page.close()
  })

  it('replays the last hours with other settings, beside the present ones and HPA', async () => {
    const page = await shop({ expected: /400/ })
    await page.getByRole('button', { name: 'What if…' }).click()
    await page.getByLabel('Most replicas').fill('3')
    await page.getByRole('button', { name: 'Replay' }).click()
    await page.locator('.what-if-result table.small tbody tr').first().waitFor({ timeout: 60_000 })
    const rows = await page.locator('.what-if-result table.small tbody tr').allTextContents()
    expect(rows.map((row) => /^(Changed|As set|HPA)/.exec(row)?.[1])).toEqual(['Changed', 'As set', 'HPA'])
    await page.locator('.what-if-result canvas').waitFor()
    await inBothThemes(page, async (theme) => {
      await browser.shoot(page, `what-if-${theme}`)
      expect(await seriousViolations(page)).toEqual([])
    })
    await page.getByLabel('Fewest replicas').fill('9')
    await page.getByRole('button', { name: 'Replay' }).click()
    await page.locator('.problem', { hasText: 'at most maxReplicas, which is 3' }).waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
    await page.close()
  })

  it('takes what an operator says to a suggested configuration', async () => {
    const page = await shop()
    const card = page.locator('section.card', { hasText: 'Suggested configuration' })
    await card.getByRole('button', { name: 'Accept' }).click()
    await page.getByText(/accepted one at/).waitFor()
    const { body } = await prescale.ask('/v1/services/demo-shop/suggestion')
    expect(body['accepted']).toMatchObject({ answer: 'accepted', by: 'anybody' })
    await page.close()
  })

  it('shows what is suggested from results: what changes, what is expected, how to undo it and what it was worth', async () => {
    const minute = 60_000
    const end = Math.floor(Date.now() / minute) * minute
    const state = { requestsPerSecond: 100, readyReplicas: 2, responseTimeSeconds: 0.05 }
    await prescale.ask('/v1/services/tuned', { method: 'PUT', body: { target: { requestsPerSecond: 60 }, tuning: { explorationShare: 1, proofShare: 0.2 } } })
    const samples = Array.from({ length: 30 }, (_, i) => ({ service: 'tuned', at: end - (29 - i) * minute, signals: { ...state, requestsPerSecond: 100 + i % 3 } }))
    await prescale.ask('/v1/samples', { method: 'POST', body: { samples } })
    await until(async () => (await prescale.ask('/v1/services/tuned')).body['decision']?.asOf === end)
    let changed = 0
    for (let i = 0; i < 60 && (i < 25 || changed === 0); i++) {
      const { body: { config } } = await prescale.ask('/v1/services/tuned/suggestion')
      const performance = 60 - Math.abs(Math.log2(config.threadPoolSize / 16))
      await prescale.ask('/v1/services/tuned/feedback', { method: 'POST', body: { at: end - 1000 * (100 - i), state, config, performance } })
      changed = (await prescale.ask('/v1/services/tuned/suggestion')).body['changed'].length
    }
    const page = await visit('#/services/tuned')
    const card = page.locator('section.card', { hasText: 'Suggested configuration' })
    await card.locator('.proof').waitFor()
    const text = (await card.textContent())!
    expect(text).toMatch(/ → .*To undo it: .*Expected [\d.]+ \(.* over the defaults.*So far: .*From what results taught: \d+ observations/)
    await inBothThemes(page, async (theme) => {
      await card.scrollIntoViewIfNeeded()
      await browser.shoot(page, `suggestion-${theme}`)
      expect(await seriousViolations(page)).toEqual([])
    })
    await page.close()
  })

  it('shows incidents in the fleet, as bands and in a list, and takes what people say of them', async () => {
    const minute = 60_000
    const end = Math.floor(Date.now() / minute) * minute
    // 160 calm minutes, then three that are a hundred times as busy; they are the newest, so the incident is open.
    const samples = Array.from({ length: 163 }, (_, i) => ({ service: 'till', at: end - (162 - i) * minute, signals: { requestsPerSecond: i < 160 ? 100 + i % 5 : 10_000 } }))
    await prescale.ask('/v1/services/till', { method: 'PUT', body: { target: { requestsPerSecond: 100 } } })
    expect((await prescale.ask('/v1/samples', { method: 'POST', body: { samples } })).status).toBe(202)
    const fleet = await visit('')
    await fleet.locator('tbody tr', { hasText: 'till' }).locator('.incident-badge').waitFor()
    await fleet.getByLabel('Show').selectOption('incident')
    await until(async () => (await fleet.locator('tbody a').allTextContents()).includes('till'))
    await fleet.close()

    const page = await visit('#/services/till')
    const incident = page.locator('.incidents li').first()
    await incident.locator('text=requestsPerSecond').waitFor()
    await inBothThemes(page, async (theme) => {
      await page.waitForTimeout(300)
      await browser.shoot(page, `incident-${theme}`)
      expect(await seriousViolations(page)).toEqual([])
    })
    await incident.locator('.incident').click()
    await page.locator('h2', { hasText: 'Behaviour then' }).waitFor()
    await page.getByRole('button', { name: 'This was normal' }).click()
    await incident.locator('.badge', { hasText: 'normal, says' }).waitFor()
    const said = async () => (await prescale.ask('/v1/services/till/incidents')).body['incidents'][0].feedback
    await until(async () => (await said())?.verdict === 'normal')
    await page.getByRole('button', { name: 'Take back' }).click()
    await until(async () => await said() === null)
    await page.close()
  })

  it('shows the models, and what is not there as what it is', async () => {
    const page = await visit('#/models')
    await page.locator('.card:not(.wide)', { hasText: 'forecast' }).waitFor()
    expect(await page.locator('.active').count()).toBe(3)
    // The demonstration was learned from soon after the start, whatever came of it.
    await until(async () => (await prescale.ask('/v1/services/demo-shop')).body['learning'] !== null)
    await inBothThemes(page, async (theme) => {
      await browser.shoot(page, `models-${theme}`)
      expect(await seriousViolations(page)).toEqual([])
    })
    await page.close()
    const nobody = await visit('#/services/nobody', { expected: /404/ })
    await nobody.getByText('No such service').waitFor()
    await browser.shoot(nobody, 'unknown-light')
    await nobody.close()
  })

  it('shows the models that were learned from single services, and how they do', async () => {
    const page = await browser.open()
    const compared = { forecasts: 360, rival: 'forecast 1', loss: 0.88, rivalLoss: 1 }
    const model = { version: 'local/1', life: 'active', rows: 4000, trainedAt: Date.now(), heldBack: compared, live: { ...compared, loss: 1.1 } }
    const { body } = await prescale.ask('/v1/models')
    const learned = [{ service: 'demo-shop', outcome: 'learned', models: [model, { ...model, version: 'local/2', life: 'shadow', live: null }] }]
    await page.route('**/v1/models', (route) => route.fulfill({ json: { ...body, learned } }))
    await page.goto(`${prescale.address}/#/models`)
    const rows = page.locator('.wide tbody tr')
    await rows.first().waitFor()
    expect(await rows.first().textContent()).toMatch(/^demo-shoplocal\/1 active4000 rows, .*12 % better than forecast 1 \(360\)10 % worse than forecast 1 \(360\)$/)
    expect(await rows.nth(1).textContent()).toMatch(/^demo-shoplocal\/2 shadow.*\(360\)–$/)
    await inBothThemes(page, async (theme) => {
      await browser.shoot(page, `learned-${theme}`)
      expect(await seriousViolations(page)).toEqual([])
    })
    await page.close()
  })

  it('can be used on a phone', async () => {
    const page = await visit('')
    await page.setViewportSize({ width: 390, height: 844 })
    await page.locator('tbody a', { hasText: 'demo-shop' }).waitFor()
    await browser.shoot(page, 'phone-fleet')
    await page.locator('tbody a', { hasText: 'demo-shop' }).click()
    await page.waitForSelector('.plot canvas')
    await page.waitForTimeout(500)
    await browser.shoot(page, 'phone-service')
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    expect(overflow).toBe(0)
    expect(await seriousViolations(page)).toEqual([])
    await page.close()
  })

  it('says that the connection is lost, and goes on by itself when prescale is back', { timeout: 120_000 }, async () => {
    const page = await visit('#/services/demo-shop', { expected: away })
    await page.waitForSelector('.plot canvas')
    await page.locator('.status.live').waitFor()
    await prescale.stop()
    await page.locator('#banner', { hasText: 'Disconnected' }).waitFor()
    await browser.shoot(page, 'disconnected-light')
    expect(await seriousViolations(page)).toEqual([])
    const explained = async () => Date.parse((await page.locator('#why time').getAttribute('datetime'))!)
    const before = await explained()
    await start()
    await page.locator('.status.live').waitFor({ timeout: 60_000 })
    expect(await page.locator('#banner').textContent()).toBe('')
    await until(async () => await explained() > before)
    await page.close()
  })

  it('did all that without an error in the console', () => {
    expect(browser.problems).toEqual([])
  })
})

describe.skipIf(!haveBrowser || !haveRedis)(needsBrowser(needsRedis('the page of a prescale that watches nothing')), () => {
  it('says how samples are sent', async () => {
    const folder = temporaryFolder('empty')
    writeFileSync(`${folder.path}/prescale.yaml`, 'logLevel: warn\n')
    const prescale = await startPrescale([], { cwd: folder.path })
    const browser = await openBrowser()
    const page = await browser.open()
    await page.goto(prescale.address)
    await page.getByText('Nothing is watched yet').waitFor()
    await browser.shoot(page, 'empty-light')
    expect(await seriousViolations(page)).toEqual([])
    expect(browser.problems).toEqual([])
    await browser.close()
    await prescale.stop()
    folder.remove()
  })
})
