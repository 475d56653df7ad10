import type { Command } from 'commander'
import { PrescaleError } from '../errors.ts'
import { formatDetails } from './details.ts'
import { say } from './terminal.ts'

export function addCheck (program: Command): void {
  program.command('check')
    .description('Say everything that is wrong with a configuration, with line, value and what was expected.')
    .option('--config <file>', 'configuration (default: prescale.yaml)')
    .option('--insecure', 'as of prescale start')
    .option('--json', 'as JSON, for programs')
    .addHelpText('after', `
Ends with 0 if it is valid, with 1 if not.

Examples:
  prescale check
  prescale check --config deploy/prescale.yaml`)
    .action(check)
}

async function check ({ config: configPath, insecure, json }: { config?: string, insecure?: boolean, json?: boolean }): Promise<void> {
  const { loadConfig } = await import('../config.ts')
  try {
    const { file, services, sources: { scrape, prometheus, remoteWrite } } = loadConfig({ configPath, insecure })
    if (json) return say(JSON.stringify({ valid: true, file, errors: [] }))
    if (file === null) return say('There is no prescale.yaml here; `prescale start` would watch itself and play a demonstration.')
    const parts = [`${services.size} services`, `${scrape.length} exporters to scrape`, `${prometheus.length} Prometheus servers to ask`]
    say(`${file} is valid: ${parts.join(', ')}, remote write ${remoteWrite.enabled ? 'on' : 'off'}.`)
  } catch (error) {
    if (!(error instanceof PrescaleError) || error.code !== 'invalid-config') throw error
    process.exitCode = 1
    if (json) return say(JSON.stringify({ valid: false, message: error.message, errors: error.details }))
    for (const line of [error.message, ...formatDetails(error.details).map((line) => `  ${line}`)]) process.stderr.write(line + '\n')
  }
}
