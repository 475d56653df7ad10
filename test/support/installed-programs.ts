import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { onTestFinished } from 'vitest'

/** Whether a program can be started by its name. */
export function haveProgram (name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0
}

/** Starts a program that ends with the test, at the latest. */
export function startInstalled (name: string, args: readonly string[]): ChildProcess {
  const child = spawn(name, args, { stdio: 'ignore' })
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => { child.once('exit', resolve) })
    child.kill('SIGKILL')
    await ended
  })
  return child
}

/** Asks again every 100 ms until there is an answer. */
export async function waitFor<T> (what: string, ask: () => T | undefined | Promise<T | undefined>, { seconds }: { seconds: number }): Promise<T> {
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await new Promise((resolve) => { setTimeout(resolve, 100) })
  }
  throw new Error(`${what} did not happen within ${seconds} s`)
}
