import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** The built program, as `npm test` and `npm start` build it before they run. */
const main = resolve(import.meta.dirname, '../../dist/src/main.js')

export function temporaryFolder (name: string): { path: string, remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `prescale-${name}-`))
  return { path, remove: () => { rmSync(path, { recursive: true, force: true }) } }
}

interface ProgramOptions {
  readonly cwd: string
  readonly environment?: Record<string, string>
}

export interface Ended { readonly code: number | null, readonly stdout: string, readonly stderr: string }

export function startProgram (args: readonly string[], { cwd, environment = {} }: ProgramOptions) {
  if (!existsSync(main)) throw new Error(`${main} is missing: npm run build makes it.`)
  const { PATH = '', HOME = '' } = process.env
  const child: ChildProcess = spawn(process.execPath, [main, ...args], { cwd, env: { PATH, HOME, PRESCALE_LOG_LEVEL: 'warn', ...environment } })
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => { stdout += chunk.toString() })
  child.stderr?.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, stdout, stderr }))

  /** Waits for a text in what it prints; fails with what was printed when it ends before. */
  const printed = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(stdout)
      if (match !== null) return match
      if (child.exitCode !== null) throw new Error(`The program ended with ${child.exitCode}: ${stdout}\n${stderr}`)
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }

  return { child, ended, printed, output: () => stdout + stderr }
}
export type Program = ReturnType<typeof startProgram>

export function runProgram (args: readonly string[], options: ProgramOptions): Promise<Ended> {
  return startProgram(args, options).ended
}

/** A running `prescale start` with its API. */
export async function startPrescale (args: readonly string[], options: ProgramOptions) {
  const program = startProgram(['start', '--port', '0', ...args], options)
  const [, address] = await program.printed(/API +(http:\S+)/)
  const ask = async (path: string, { method = 'GET', body }: { method?: string, body?: unknown } = {}) => {
    const response = await fetch(address + path, { method, ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) })
    const text = await response.text()
    return { status: response.status, body: (response.headers.get('content-type') ?? '').includes('json') ? JSON.parse(text) as Record<string, any> : {}, text }
  }
  const stop = async (signal: NodeJS.Signals = 'SIGINT') => {
    program.child.kill(signal)
    return await program.ended
  }
  return { ...program, address, ask, stop }
}
