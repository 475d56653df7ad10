import { InvalidArgumentError } from 'commander'
import { PrescaleError } from '../errors.ts'
import { describe } from '../schema-words.ts'
import { formatDetails } from './details.ts'

export function say (text: string): void {
  process.stdout.write(text + '\n')
}

/** Ends the process with what went wrong: one line and the details for what a user can mend, the stack for what we must. */
export function fail (error: unknown): void {
  const known = error instanceof PrescaleError
  const lines = known ? [error.message, ...formatDetails(error.details).map((line) => `  ${line}`)] : [stackOf(error)]
  process.stderr.write(`prescale: ${lines.join('\n')}\n`)
  process.exitCode = 1
}

function stackOf (error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error)
}

interface Bounds { readonly least?: number, readonly above?: number, readonly most?: number, readonly whole?: boolean }

/** A parser for an option that is a number within bounds. */
export function number ({ least = -Infinity, above = -Infinity, most = Infinity, whole = false }: Bounds = {}): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isFinite(value) && value >= least && value > above && value <= most && (!whole || Number.isInteger(value))) return value
    const bounds = { ...(least !== -Infinity && { minimum: least }), ...(above !== -Infinity && { exclusiveMinimum: above }), ...(most !== Infinity && { maximum: most }) }
    throw new InvalidArgumentError(`Expected ${describe({ type: whole ? 'integer' : 'number', ...bounds })}.`)
  }
}

/** @throws PrescaleError 'invalid-request' for bounds that no number of replicas lies between. */
export function checkBounds ({ min, max }: { readonly min: number, readonly max: number }): void {
  if (min > max) throw new PrescaleError('invalid-request', `--min is ${min} and --max is ${max}; --min must not be above --max.`)
}
