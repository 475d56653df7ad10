import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect } from 'vitest'
import { PrescaleError } from '../../src/errors.ts'

/** The same cases in every run, unless PRESCALE_FUZZ_SEED says otherwise; PRESCALE_FUZZ_TIMES makes more of them. */
const seed = Number(process.env['PRESCALE_FUZZ_SEED'] ?? 20_261_120)
const times = Number(process.env['PRESCALE_FUZZ_TIMES'] ?? 1)
export const runs = (numRuns: number) => ({ seed, numRuns: numRuns * times })
export const longEnough = 300_000

/** What a parser may do with anything at all: read it, or say in a PrescaleError of the caller's kind what is wrong with it. */
export function parsesOrRefuses (parse: () => unknown, allowed: readonly string[] = []): void {
  try {
    parse()
  } catch (error) {
    if (!(error instanceof PrescaleError)) throw error
    if (error.status >= 500 && !allowed.includes(error.code)) throw new Error(`Refused as our own fault: ${error.code}: ${error.message}`, { cause: error })
    // What was sent may be long; what is said about it must not be.
    expect(error.message.length).toBeLessThan(2_000)
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes that are in use once all that can go has gone. */
export function heapBytes (): number {
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().heapUsed
}
export const tolerableGrowthBytes = 48 * 2 ** 20

/** Something that was well-formed, damaged in a few places. */
export function damaged (base: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
  const edit = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: position, bit: fc.integer({ min: 0, max: 7 }) }),
    fc.record({ kind: fc.constant('insert' as const), at: position, bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }) }),
    fc.record({ kind: fc.constant('remove' as const), at: position, length: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ kind: fc.constant('repeat' as const), at: position, length: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant('cut' as const), at: position })
  )
  return fc.tuple(base, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([bytes, edits]) => edits.reduce((present, one) => {
    const at = Math.floor(one.at * present.length)
    switch (one.kind) {
      case 'flip': {
        const flipped = Buffer.from(present)
        if (flipped.length > 0) flipped[at] ^= 1 << one.bit
        return flipped
      }
      case 'insert': return Buffer.concat([present.subarray(0, at), one.bytes, present.subarray(at)])
      case 'remove': return Buffer.concat([present.subarray(0, at), present.subarray(at + one.length)])
      case 'repeat': return Buffer.concat([present.subarray(0, at + one.length), present.subarray(at)])
      default: return present.subarray(0, at)
    }
  }, bytes))
}

/** Texts made of the words of a language and of anything else. */
export function wordy (words: readonly string[], { maxLength = 12 }: { maxLength?: number } = {}): fc.Arbitrary<string> {
  const anything = fc.string({ unit: 'binary', maxLength: 4 })
  return fc.array(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...words) }, { weight: 1, arbitrary: anything }), { maxLength }).map((parts) => parts.join(''))
}
