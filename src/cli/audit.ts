import { readFile, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Checkpoint } from '../checkpoint.ts'
import type { Decision } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { say } from './terminal.ts'

const ask = async <T>(url: string, path: string): Promise<T> => await (await import('./ask.ts')).ask<T>(url, path)

interface Where { readonly url: string }

export function addAudit (program: Command): void {
  const audit = program.command('audit').description('Check that no decision of the past was changed.')
  const withUrl = (command: Command) => command.option('--url <url>', 'address of a running prescale', 'http://127.0.0.1:8080')
  withUrl(audit.command('verify'))
    .description('Walk the chain of decisions of every service, and name the first broken link.')
    .option('--service <name>', 'only this service')
    .option('--checkpoint <file>', 'also check that what this checkpoint names is still there')
    .addHelpText('after', `
Ends with 0 if every chain is intact, with 1 if not.
Environment: PRESCALE_TOKEN, a token with the scope read, where tokens are asked for

Examples:
  prescale audit verify
  prescale audit verify --service shop --checkpoint 2026-12-24.json`)
    .action(verify)
  withUrl(audit.command('checkpoint'))
    .description('Save a signed list of the newest decision of every service. Keep it elsewhere than prescale.')
    .requiredOption('--out <file>', 'where it is written to')
    .addHelpText('after', `
Environment: PRESCALE_TOKEN, a token with the scope admin, where tokens are asked for

Example:
  prescale audit checkpoint --out 2026-12-24.json`)
    .action(checkpoint)
}

async function checkpoint ({ url, out }: Where & { out: string }): Promise<void> {
  const saved = await ask<Checkpoint>(url, '/v1/audit/checkpoint')
  await writeFile(out, JSON.stringify(saved, null, 2) + '\n')
  say(`${out} names ${saved.services.length} services; it is signed with the key ${saved.publicKey}.`)
}

async function verify ({ url, service, checkpoint: path }: Where & { service?: string, checkpoint?: string }): Promise<void> {
  const expected = path === undefined ? null : await readCheckpoint(path)
  const names = service !== undefined ? [service] : (await ask<{ services: { service: string }[] }>(url, '/v1/services')).services.map((one) => one.service)
  const marked = (expected?.services ?? []).filter((one) => service === undefined || one.service === service)
  let broken = 0
  for (const name of new Set([...names, ...marked.map((one) => one.service)])) {
    const mark = marked.find((one) => one.service === name)
    const problem = await verifyService(url, name, mark)
    if (problem === null) continue
    broken++
    say(`${name}: BROKEN: ${problem}`)
  }
  if (broken > 0) process.exitCode = 1
  else say('Every chain is intact.')
}

/** @returns what is wrong; null for nothing, which it says. */
async function verifyService (url: string, service: string, mark: Checkpoint['services'][number] | undefined): Promise<string | null> {
  const { verifyChain } = await import('../chain.ts')
  const history = await readHistory(url, service)
  const verdict = verifyChain(history)
  if (verdict.status === 'broken') return `the decision on the sample of ${nameOf(history[verdict.index])}: ${verdict.reason}.`
  const oldest = history[0]
  if (mark !== undefined && (oldest === undefined || oldest.asOf <= mark.asOf) && !history.some(({ hash }) => hash === mark.hash)) {
    return `the decision on the sample of ${new Date(mark.asOf).toISOString()}, which the checkpoint names, is not there any more.`
  }
  const gone = mark !== undefined && oldest !== undefined && oldest.asOf > mark.asOf
  say(`${service}: ${verdict.links} decisions, intact${gone ? '; what the checkpoint names is older than what is kept' : ''}`)
  return null
}

function nameOf ({ asOf, hash }: Decision): string {
  return `${new Date(asOf).toISOString()} (${hash?.slice(0, 12) ?? 'no hash'})`
}

const pageSize = 1000

/** Oldest first. While it is read, newer ones come and push the pages on; what was read already is left out. */
async function readHistory (url: string, service: string): Promise<Decision[]> {
  const newestFirst: Decision[] = []
  for (let offset = 0; ; offset += pageSize) {
    const { decisions } = await ask<{ decisions: Decision[] }>(url, `/v1/services/${service}/decisions?limit=${pageSize}&offset=${offset}`)
    const last = newestFirst.at(-1)
    newestFirst.push(...decisions.filter(({ asOf }) => last === undefined || asOf < last.asOf))
    if (decisions.length < pageSize) return newestFirst.reverse()
  }
}

async function readCheckpoint (path: string): Promise<Checkpoint> {
  const { isSigned } = await import('../checkpoint.ts')
  const checkpoint = JSON.parse(await readFile(path, 'utf8')) as Checkpoint
  if (!isSigned(checkpoint)) throw new PrescaleError('invalid-request', `${path} is not a checkpoint as it was signed.`)
  say(`${path} was signed at ${new Date(checkpoint.at).toISOString()} with the key ${checkpoint.publicKey}.`)
  return checkpoint
}
