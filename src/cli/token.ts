import { Option, type Command } from 'commander'
import { scopes, type Scope } from '../access/grants.ts'
import { say } from './terminal.ts'

interface CreateOptions { readonly name: string, readonly scopes: Scope[], readonly services?: string[] }

export function addToken (program: Command): void {
  const token = program.command('token').description('Make tokens that callers show.')
  token.command('create')
    .description('Print a new token, and the line for the tokens file. The token is shown this once; the file holds its hash alone.')
    .requiredOption('--name <name>', 'who it is for; the audit names it')
    .addOption(new Option('--scopes <scopes...>', `what it may do: ${scopes.join(', ')}`).choices(scopes).makeOptionMandatory())
    .option('--services <patterns...>', 'only these services; * stands for any characters')
    .addHelpText('after', `
The file is named by access.tokensFile of prescale.yaml; it may change while prescale runs.

Examples:
  prescale token create --name keda --scopes read
  prescale token create --name team-a --scopes read ingest operate --services 'a-*'`)
    .action(create)
}

async function create ({ name, scopes, services }: CreateOptions): Promise<void> {
  const { hashToken, newToken, parseTokens } = await import('../access/tokens.ts')
  const token = newToken()
  const line = `- ${JSON.stringify({ name, sha256: hashToken(token), scopes: [...new Set(scopes)], ...(services && { services }) })}`
  parseTokens(line, '--name, --scopes, --services: ')
  say(`token     ${token}\nfor the tokens file:\n${line}`)
}
