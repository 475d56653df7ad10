import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/ports.ts'

const root = resolve(import.meta.dirname, '../..')
const has = (program: string) => spawnSync('which', [program]).status === 0
const folders: string[] = []
function temporaryFolder (): string {
  const folder = mkdtempSync(join(tmpdir(), 'prescale-deploy-'))
  folders.push(folder)
  return folder
}
afterAll(() => { for (const folder of folders) rmSync(folder, { recursive: true, force: true }) })

describe.skipIf(!has('promtool'))('the Prometheus configuration (needs promtool, of the package prometheus)', () => {
  it('is accepted by promtool', () => {
    const output = execFileSync('promtool', ['check', 'config', 'deploy/prometheus/prometheus.yml'], { cwd: root, encoding: 'utf8' })
    expect(output).toContain('SUCCESS')
  })
})

describe('deploy/prescale.yaml', () => {
  it('is accepted by prescale check', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/src/main.js', 'check', '--config', 'deploy/prescale.yaml'], { cwd: root, encoding: 'utf8' })
    expect({ status, output: stdout + stderr }).toMatchObject({ status: 0 })
  })
})

describe('the image', () => {
  it('is made by its script: production packages only, and the program in it starts, answers /healthz and has the page', { timeout: 300_000 }, async () => {
    const folder = temporaryFolder()
    const source = join(folder, 'source')
    // What the Dockerfile copies, and nothing else.
    execFileSync('mkdir', ['-p', join(source, 'deploy')])
    for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'src', 'training', 'bench', 'models', 'data', 'deploy/image.sh']) {
      execFileSync('cp', ['-R', join(root, name), join(source, name)])
    }
    const image = join(folder, 'image')
    execFileSync('sh', ['deploy/image.sh', source, image], { cwd: source, stdio: 'pipe' })
    expect(readdirSync(image).sort()).toEqual(['data', 'dist', 'models', 'node_modules', 'package.json'])
    expect(existsSync(join(image, 'node_modules/vitest'))).toBe(false)
    expect(existsSync(join(image, 'node_modules/fastify'))).toBe(true)

    const port = await freePort()
    const child = spawn(process.execPath, [join(image, 'dist/src/main.js'), 'start', '--no-demo', '--port', String(port)], {
      cwd: image, env: { ...process.env, PRESCALE_DATA_DIR: join(folder, 'data') }, stdio: 'pipe'
    })
    let output = ''
    child.stdout.on('data', chunk => { output += chunk })
    child.stderr.on('data', chunk => { output += chunk })
    const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
    try {
      await expect.poll(() => fetch(`http://127.0.0.1:${port}/healthz`).then(r => r.status, () => output), { timeout: 30_000 }).toBe(200)
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain('/dashboard/app.js')
    } finally {
      child.kill('SIGTERM')
    }
    expect(await ended).toBe(0)
  })
})
