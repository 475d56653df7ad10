import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readStaticFiles } from '../../src/store/static-files.ts'
import { call, createTestApp } from '../api/support.ts'

const folder = resolve(import.meta.dirname, '../../dist/src/api/dashboard')
const compressedLimitBytes = 150_000

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => { test = await createTestApp('', { page: readStaticFiles(folder) }) })
afterEach(() => test.close())

describe('the page for people', () => {
  it('is served at / with nothing inline, nothing from elsewhere, and headers that forbid both', async () => {
    const { status, type, text, headers } = await call(test.app, 'GET', '/')
    expect({ status, type }).toEqual({ status: 200, type: 'text/html; charset=utf-8' })
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
    expect(text).not.toMatch(/https?:|<script>|<style|style=|\son\w+=/)
    const addresses = [...text.matchAll(/(?:src|href)="(\/dashboard[^"]+)"/g)].map(([, address]) => address)
    expect(addresses).toHaveLength(3)
    for (const address of addresses) expect((await call(test.app, 'GET', address)).status).toBe(200)
  })

  it('is smaller than 150 kB in all, as a browser gets it', async () => {
    let bytes = 0
    for (const address of ['/', '/dashboard/app.js', '/dashboard/style.css', '/dashboard/icon.svg']) {
      const { headers, rawPayload } = await test.app.inject({ url: address, headers: { 'accept-encoding': 'gzip, br' } })
      expect(headers['content-encoding']).toBe('gzip')
      bytes += rawPayload.length
    }
    expect(bytes).toBeGreaterThan(10_000)
    expect(bytes).toBeLessThan(compressedLimitBytes)
  })

  it('is not sent again to a browser that has it', async () => {
    const { headers } = await call(test.app, 'GET', '/dashboard/app.js')
    expect((await call(test.app, 'GET', '/dashboard/app.js', undefined, { 'if-none-match': String(headers['etag']) })).status).toBe(304)
  })
})
