import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { explain } from '../src/explain.ts'
import { decisionOf } from './api/support.ts'
import { runProgram, startProgram, temporaryFolder } from './support/program.ts'

const folder = temporaryFolder('cli-watch')
afterAll(folder.remove)
const run = (...args: string[]) => runProgram(args, { cwd: folder.path })
const decision = decisionOf('shop')

let server: Server
let url: string
const asked: string[] = []
beforeEach(async () => {
  asked.length = 0
  server = createServer((request, response) => {
    asked.push(request.url!)
    const unknown = request.url!.includes('nobody')
    const body = unknown ? { detail: 'The service nobody is unknown.' } : request.url === '/v1/services' ? { services: [{ service: 'shop', asOf: 1, decision, verdict: null }] } : { decision, story: explain(decision) }
    response.writeHead(unknown ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => { server.close() })

describe('prescale explain', () => {
  it('tells the story of the latest decision, or gives it as JSON', async () => {
    const { code, stdout } = await run('explain', 'shop', '--url', url)
    expect({ code, lines: stdout.trim().split('\n') }).toEqual({ code: 0, lines: explain(decision) })
    expect(JSON.parse((await run('explain', 'shop', '--url', url, '--json')).stdout)).toEqual({ decision, story: explain(decision) })
    expect(asked).toEqual(['/v1/services/shop/explanation', '/v1/services/shop/explanation'])
  })

  it('asks for a time, or for so long ago', async () => {
    await run('explain', 'shop', '--url', url, '--at', '2026-11-20T12:00:00Z')
    expect(asked[0]).toBe(`/v1/services/shop/explanation?at=${Date.UTC(2026, 10, 20, 12)}`)
    const before = Date.now()
    await run('explain', 'shop', '--url', url, '--at', '15m')
    const at = Number(/at=(\d+)$/.exec(asked[1])![1])
    expect(at).toBeGreaterThanOrEqual(before - 900_000)
    expect(at).toBeLessThanOrEqual(Date.now() - 900_000)
  })

  it('says in one line what is wrong', async () => {
    expect(await run('explain', 'shop', '--at', 'noon')).toMatchObject({ code: 1, stderr: expect.stringContaining('Expected a time such as') })
    expect(await run('explain', 'nobody', '--url', url)).toMatchObject({ code: 1, stderr: `prescale: ${url}/v1/services/nobody/explanation answers 404: The service nobody is unknown.\n` })
  })
})

describe('prescale services --watch', () => {
  it('asks again and again, without colours and control characters where there is no terminal', async () => {
    const program = startProgram(['services', '--watch', '--interval-seconds', '0.2', '--url', url], { cwd: folder.path })
    await program.printed(/(SERVICE[^]*){3}/)
    program.child.kill('SIGINT')
    await program.ended
    expect(program.output()).not.toContain('\x1b')
  })

  it('gives one line of JSON each time, and goes on when nobody answers', async () => {
    server.close()
    const program = startProgram(['services', '--watch', '--json', '--interval-seconds', '0.2', '--url', url], { cwd: folder.path })
    await program.printed(/does not answer/)
    server.listen(Number(new URL(url).port), '127.0.0.1')
    await program.printed(/\n\[\{"service":"shop".*\}\]\n\[/)
    program.child.kill('SIGINT')
    await program.ended
  })
})

describe('what the tools print for programs', () => {
  it('is JSON for replay, which also draws a picture, and for check', { timeout: 60_000 }, async () => {
    const rows = Array.from({ length: 200 }, (_, i) => `${1_767_571_200 + 60 * i},${500 + i}`)
    writeFileSync(join(folder.path, 'trace.csv'), ['at,requestsPerSecond', ...rows].join('\n') + '\n')
    const { stdout } = await run('replay', '--trace', 'trace.csv', '--out', 'out.csv', '--plot', 'out.svg', '--json')
    expect(JSON.parse(stdout)).toEqual({ out: 'out.csv', rows: 200, plot: 'out.svg' })
    expect(readFileSync(join(folder.path, 'out.svg'), 'utf8')).toContain('prescale replay of trace.csv')

    writeFileSync(join(folder.path, 'bad.yaml'), 'partitions: 0\n')
    const checked = await run('check', '--config', 'bad.yaml', '--json')
    expect(checked.code).toBe(1)
    expect(JSON.parse(checked.stdout)).toMatchObject({ valid: false, errors: [{ path: expect.stringContaining('partitions'), value: 0 }] })
  })
})
