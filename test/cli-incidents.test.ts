import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { incidentOf } from './support/incidents.ts'
import { runProgram, startProgram, temporaryFolder } from './support/program.ts'

const folder = temporaryFolder('cli-incidents')
afterAll(folder.remove)
const run = (...args: string[]) => runProgram([...args, '--url', url], { cwd: folder.path })
const startedAt = Date.UTC(2026, 10, 20, 12)
const incident = incidentOf({ startedAt, lastAnomalyAt: startedAt + 7 * 60_000, reopened: 1 })

let server: Server
let url: string
const asked: string[] = []
beforeEach(async () => {
  asked.length = 0
  server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => { text += part }).on('end', () => {
      asked.push(`${request.method} ${request.url}${text && ` ${text}`}`)
      const missing = request.url!.includes('nobody')
      response.writeHead(missing ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(missing ? { detail: 'There is no incident.' } : { incidents: [incident] }))
    })
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => { server.close() })

describe('prescale incidents', () => {
  it('lists them with what was wrong, or gives them as JSON', async () => {
    const { code, stdout } = await run('incidents')
    expect({ code, lines: stdout.trim().split('\n').map((line) => line.split(/ {2,}/)) }).toEqual({
      code: 0,
      lines: [
        ['ID', 'STATE', 'SEVERITY', 'BEGAN', 'LASTED', 'FEEDBACK', 'CAUSES'],
        [incident.id, 'open', 'high', '2026-11-20T12:00', '7 min, 1x back', '-', 'errorRatio is 0.2, usually at most 0.01']
      ]
    })
    expect(JSON.parse((await run('incidents', '--json')).stdout)).toEqual([incident])
    expect(asked).toEqual(['GET /v1/incidents?limit=20', 'GET /v1/incidents?limit=20'])
  })

  it('asks for one service, and for open ones', async () => {
    await run('incidents', 'shop', '--state', 'open', '--limit', '5')
    expect(asked).toEqual(['GET /v1/services/shop/incidents?limit=5&state=open'])
  })

  it('asks again and again with --watch', async () => {
    const program = startProgram(['incidents', '--watch', '--json', '--interval-seconds', '0.2', '--url', url], { cwd: folder.path })
    await program.printed(/(\[\{"[^\n]*\n){2}/)
    program.child.kill('SIGINT')
    await program.ended
  })
})

describe('prescale incidents feedback', () => {
  const path = `/v1/services/shop/incidents/${incident.id}/feedback`

  it('says what an incident was, with a note, and takes it back', async () => {
    expect(await run('incidents', 'feedback', incident.id, 'normal', '--note', 'import')).toMatchObject({ code: 0, stdout: `${incident.id} was normal; samples are judged by that from now on.\n` })
    await run('incidents', 'feedback', incident.id, 'nothing')
    expect(asked).toEqual([`POST ${path} {"verdict":"normal","note":"import"}`, `DELETE ${path}`])
  })

  it('says in one line what is wrong', async () => {
    expect(await run('incidents', 'feedback', incident.id, 'fine')).toMatchObject({ code: 1, stderr: expect.stringContaining('Allowed choices are normal, real, nothing') })
    expect(await run('incidents', 'feedback', 'x', 'real')).toMatchObject({ code: 1, stderr: expect.stringContaining('The id is "x", expected one that `prescale incidents` lists') })
    expect(await run('incidents', 'feedback', 'nobody.1', 'real')).toMatchObject({ code: 1, stderr: expect.stringContaining('answers 404: There is no incident.') })
  })
})
