import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The built program in a process and a folder of its own, which `stop` removes.
 *
 * @param settings the text of its prescale.yaml.
 * @throws Error with its output where it ends before it listens.
 */
export async function startPrescale (settings: string) {
  const directory = mkdtempSync(join(tmpdir(), 'prescale-bench-'))
  writeFileSync(join(directory, 'prescale.yaml'), settings)
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, 'start', '--no-demo', '--port', '0'], { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString() })
  const stop = async () => {
    child.kill('SIGINT')
    await new Promise(resolve => child.once('close', resolve))
    rmSync(directory, { recursive: true, force: true })
  }
  for (;;) {
    const url = /API +(http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1]
    if (url !== undefined) return { url, pid: child.pid!, stop }
    if (child.exitCode !== null) throw new Error(`prescale ended with ${child.exitCode}: ${output}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
