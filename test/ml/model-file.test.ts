import { describe, expect, it } from 'vitest'
import { PrescaleError } from '../../src/errors.ts'
import { modelKindOf, readModelFile, sectionOf, writeModelFile } from '../../src/ml/model-file.ts'

const model = {
  kind: 'sketch',
  features: ['größe', 'b'],
  meta: { depth: 3, names: ['x'] },
  sections: {
    bytes: Uint8Array.of(1, 2, 3),
    numbers: Float64Array.of(0.1, -1e300, 5e-324),
    shorts: Int16Array.of(-1, 32767),
    nothing: new Uint32Array(0)
  }
}

const failure = (action: () => unknown) => {
  try { action() } catch (error) { return error as PrescaleError }
  throw new Error('It did not throw.')
}

describe('the model file', () => {
  it('gives back kind, features, meta and every number', () => {
    const file = readModelFile(writeModelFile(model), 'sketch')
    expect(file.features).toEqual(['größe', 'b'])
    expect(file.meta).toEqual({ depth: 3, names: ['x'] })
    expect({ ...file.sections }).toEqual(model.sections)
    expect(modelKindOf(writeModelFile(model))).toBe('sketch')
  })

  it('can be read in place: sections are views of an aligned buffer', () => {
    const bytes = writeModelFile(model)
    expect(readModelFile(bytes, 'sketch').sections.numbers.buffer).toBe(bytes.buffer)
  })

  it('can be read from the middle of another buffer, where nothing is aligned', () => {
    const bytes = writeModelFile(model)
    const within = new Uint8Array(bytes.length + 3)
    within.set(bytes, 3)
    expect(readModelFile(within.subarray(3), 'sketch').sections.numbers).toEqual(model.sections.numbers)
  })

  it('writes a section that is a part of a larger array, and that part only', () => {
    const sections = { numbers: Float64Array.of(1, 2, 3, 4).subarray(1, 3) }
    expect(readModelFile(writeModelFile({ ...model, sections }), 'sketch').sections.numbers).toEqual(Float64Array.of(2, 3))
  })

  it('refuses every file in which one byte was changed, wherever it is', () => {
    const bytes = writeModelFile(model)
    for (let at = 0; at < bytes.length; at++) {
      const altered = bytes.slice()
      altered[at] ^= 4
      expect(failure(() => readModelFile(altered, 'sketch'))).toMatchObject({ code: 'model-format' })
    }
  })

  it.each([
    { what: 'an empty file', bytes: new Uint8Array(0), says: 'Not a model file: 0 bytes' },
    { what: 'some other file', bytes: new TextEncoder().encode('{"name":"RFRegression","baseModel":{}}'), says: 'Not a model file: 38 bytes' },
    { what: 'a file cut short', bytes: writeModelFile(model).subarray(0, 200), says: 'bytes, got 200.' },
    { what: 'a later format', bytes: writeModelFile(model).with(8, 2), says: 'has format version 2, this program reads 1.' }
  ])('refuses $what with a sentence of its own', ({ bytes, says }) => {
    const error = failure(() => readModelFile(bytes, 'sketch'))
    expect(error).toBeInstanceOf(PrescaleError)
    expect(error.message).toContain(says)
  })

  it('refuses a model of another kind, naming both', () => {
    expect(failure(() => readModelFile(writeModelFile(model), 'forest')).message).toBe('Expected a model of kind "forest", got "sketch".')
  })

  it('refuses a section that is missing, of another type or of another length', () => {
    const file = readModelFile(writeModelFile(model), 'sketch')
    expect(failure(() => sectionOf(file, 'other', { type: 'Float64Array' })).message).toBe('The model file has no section "other".')
    expect(failure(() => sectionOf(file, 'shorts', { type: 'Float64Array' })).message).toContain('holds a Int16Array, expected a Float64Array')
    expect(failure(() => sectionOf(file, 'numbers', { type: 'Float64Array', length: 4 })).message).toContain('has 3 entries, expected 4')
    expect(sectionOf(file, 'numbers', { type: 'Float64Array', length: 3 })).toEqual(model.sections.numbers)
  })
})
