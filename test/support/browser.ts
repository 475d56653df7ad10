import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { temporaryFolder } from './program.ts'

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))
export const haveBrowser = program !== undefined
export const needsBrowser = (subject: string) => haveBrowser ? subject : `${subject} (skipped: chromium is not installed)`

const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'
]

export async function openBrowser () {
  const profile = temporaryFolder('chromium')
  const shots = join(tmpdir(), 'prescale-screenshots')
  mkdirSync(shots, { recursive: true })
  const context: BrowserContext = await chromium.launchPersistentContext(profile.path, {
    executablePath: program, headless: true, args: flags, viewport: { width: 1280, height: 800 }, acceptDownloads: true, timezoneId: 'Europe/Berlin', locale: 'en-GB'
  })
  const problems: string[] = []

  /** A page whose console errors are kept; `expected` are those that a test brings about itself. */
  const open = async ({ expected = /^$/ }: { expected?: RegExp } = {}): Promise<Page> => {
    const page = await context.newPage()
    page.on('console', (message) => { if (message.type() === 'error' && !expected.test(message.text())) problems.push(`${message.text()} ${message.location().url}`) })
    page.on('pageerror', (error) => { problems.push(error.stack ?? error.message) })
    return page
  }
  const shoot = (page: Page, name: string) => page.screenshot({ path: join(shots, `${name}.png`) })
  const close = async () => {
    await context.close()
    profile.remove()
  }
  return { open, shoot, shots, problems, close }
}
