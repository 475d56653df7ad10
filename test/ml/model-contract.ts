import { describe, expect, it } from 'vitest'
import { PrescaleError } from '../../src/errors.ts'
import type { Model } from '../../src/ml/model.ts'

/** What the suite must know of a model to hold it to the contract. */
export interface ModelUnderTest<M extends Model> {
  /** A small model; two calls with one seed must give the same bytes. May return a promise (the network is trained so). */
  readonly train: (seed: number) => M | Promise<M>
  readonly load: (bytes: Uint8Array) => M | Promise<M>
  /** What the model says to one row: a prediction, a score, a configuration. Throws synchronously or rejects. */
  readonly evaluate: (model: M, x: Float64Array) => number | Float64Array | Promise<number | Float64Array>
  /** A valid row. */
  readonly row: Float64Array
  /** Two rows, of which the model must answer more to `higher` (the first number, if it answers several). */
  readonly direction: { readonly lower: Float64Array, readonly higher: Float64Array }
  /** Where a model owns memory outside of the heap. */
  readonly dispose?: (model: M) => void
}

/** The one suite that every model passes; call it at the top of the model's own test file. */
export function describeModel<M extends Model> (name: string, subject: ModelUnderTest<M>): void {
  const { train, load, row, direction } = subject
  const evaluate = async (model: M, x: Float64Array) => subject.evaluate(model, x)
  const first = (answer: number | Float64Array) => typeof answer === 'number' ? answer : answer[0]

  async function using<T> (model: M | Promise<M>, use: (model: M) => T | Promise<T>): Promise<T> {
    const ready = await model
    try { return await use(ready) } finally { subject.dispose?.(ready) }
  }
  const bytesOf = (seed: number) => using(train(seed), model => model.toBytes())

  describe(`${name} keeps the contract of models`, () => {
    it('gives the same bytes for the same seed', async () => {
      expect(await bytesOf(1)).toEqual(await bytesOf(1))
    })

    it('gives other bytes for another seed', async () => {
      expect(await bytesOf(1)).not.toEqual(await bytesOf(2))
    })

    it('answers the same after it was saved and loaded, and saves the same bytes again', () => using(train(1), model =>
      using(load(model.toBytes()), async loaded => {
        expect(loaded.kind).toBe(model.kind)
        expect(loaded.features).toEqual(model.features)
        for (const x of [row, direction.lower, direction.higher]) expect(await evaluate(loaded, x)).toEqual(await evaluate(model, x))
        expect(loaded.toBytes()).toEqual(model.toBytes())
      })))

    it.each([NaN, Infinity, -Infinity])('refuses a row that holds %s, and names it', value => using(train(1), async model => {
      await expect(evaluate(model, row.with(0, value))).rejects.toThrow(RangeError)
      await expect(evaluate(model, row.with(0, value))).rejects.toThrow(String(value))
    }))

    it('refuses a row of another width, with both widths in the message', () => using(train(1), async model => {
      const width = model.features.length
      await expect(evaluate(model, new Float64Array(width + 1))).rejects.toThrow(RangeError)
      await expect(evaluate(model, new Float64Array(width + 1))).rejects.toThrow(`Expected ${width} features, got ${width + 1}.`)
      await expect(evaluate(model, row.slice(1))).rejects.toThrow(`Expected ${width} features, got ${width - 1}.`)
    }))

    it('answers more where more is right', () => using(train(1), async model => {
      expect(first(await evaluate(model, direction.higher))).toBeGreaterThan(first(await evaluate(model, direction.lower)))
    }))

    it('refuses a file with one altered byte', async () => {
      const bytes = await bytesOf(1)
      bytes[bytes.length - 9] ^= 1
      const error = await Promise.resolve().then(() => load(bytes)).then(() => null, (reason: unknown) => reason)
      expect(error).toBeInstanceOf(PrescaleError)
      expect(error).toMatchObject({ code: 'model-format' })
    })
  })
}
