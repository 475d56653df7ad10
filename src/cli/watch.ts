import { setTimeout as sleep } from 'node:timers/promises'
import { say } from './terminal.ts'

/** Shows something again and again, until Ctrl-C: on a terminal in the place of what was there before. What cannot be had now is tried again. */
export async function again (once: () => Promise<string>, intervalSeconds: number): Promise<never> {
  for (;;) {
    const text = await once().catch((error: Error) => error.message)
    say(process.stdout.isTTY ? `\x1b[H\x1b[2J${text}\n\n${new Date().toLocaleTimeString()}; Ctrl-C ends` : text)
    await sleep(1000 * intervalSeconds)
  }
}
