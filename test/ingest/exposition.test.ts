import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Point } from '../../src/domain.ts'
import { PrescaleError } from '../../src/errors.ts'
import { expositionFormat, parseExposition, type ExpositionFormat } from '../../src/ingest/exposition.ts'

const quote = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
const time = { text: (at: number) => String(at), openmetrics: (at: number) => (at / 1000).toFixed(3) }

/** Every name in quotes, so that any text may be one. */
function render (points: readonly Point[], format: ExpositionFormat): string {
  const lines = points.map(({ metric, labels, at, value }) =>
    `{${[quote(metric), ...labels.map(([name, text]) => `${quote(name)}=${quote(text)}`)].join(',')}} ${Object.is(value, -0) ? '-0' : value} ${time[format](at)}\n`)
  return lines.join('') + (format === 'openmetrics' ? '# EOF\n' : '')
}

// Lone surrogates are no text that could arrive as UTF-8.
const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !/\p{Surrogate}/u.test(value))
const name = text.filter((value) => value !== '' && value !== '__name__')
const points = fc.uniqueArray(fc.record({
  metric: name,
  labels: fc.uniqueArray(fc.tuple(name, text), { selector: ([label]) => label, maxLength: 5 }),
  at: fc.integer({ min: -1e12, max: 4e12 }),
  value: fc.double({ noNaN: true, noDefaultInfinity: true })
}), { selector: ({ metric }) => metric, maxLength: 8 })

describe.each(['text', 'openmetrics'] as const)('%s', (format) => {
  test('what is rendered is read back as it was', () => {
    fc.assert(fc.property(points, (list) => {
      expect(parseExposition(render(list, format), { format, at: 0 })).toEqual(list)
      expect(parseExposition(Buffer.from(render(list, format)), { format, at: 0 })).toEqual(list)
    }), { numRuns: 300 })
  })

  test('damaged input gives points or a PrescaleError, and nothing else', () => {
    const seed = '# HELP a help \\\\ x\n# TYPE a histogram\na_bucket{le="1",b="\\"c\\n"} 3 1.5\na_bucket{le="+Inf",b="\\"c\\n"} 4 1.5 # {t="1"} 0.5 1\n{"x.y","z z"="1"} NaN\n# EOF\n'
    const pieces = [...'{}",=# \t\n\\0+-.eE', 'le', 'NaN', '+Inf', '1e999', '# TYPE a ', '# EOF\n', '\0', '\u00fc', '\ud800', '"}']
    const edits = fc.array(fc.record({ at: fc.nat(seed.length), remove: fc.nat(6), insert: fc.constantFrom('', ...pieces) }), { minLength: 1, maxLength: 6 })
    fc.assert(fc.property(edits, (list) => {
      const damaged = list.reduce((result, { at, remove, insert }) => result.slice(0, at) + insert + result.slice(at + remove), seed)
      try {
        const read = parseExposition(damaged, { format, at: 0 })
        expect(read.every(({ metric, value, stale }) => metric !== '' && (Number.isFinite(value) || stale === true))).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(PrescaleError)
      }
    }), { numRuns: 2000 })
  })

  test('any bytes give points or a PrescaleError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        parseExposition(bytes, { format, at: 0 })
      } catch (error) {
        expect(error).toBeInstanceOf(PrescaleError)
      }
    }), { numRuns: 500 })
  })

  test('limits name themselves', () => {
    const eof = format === 'openmetrics' ? '# EOF\n' : ''
    const read = (body: string, limits: object) => () => parseExposition(`${body}${eof}`, { format, at: 0, limits })
    expect(read('a{b="1",c="2"} 1\n', { labelsPerSeries: 1 })).toThrow('Line 1: a series has 2 labels; the limit labelsPerSeries is 1.')
    expect(read('x 1\na{b="12345"} 1\n', { labelValueLength: 4 })).toThrow('Line 2: a name or label value has 5 characters; the limit labelValueLength is 4.')
    expect(read('a{b="1"} 1\na{b="2"} 1\n', { samplesPerRequest: 1 })).toThrow('samplesPerRequest, which is 1')
    expect(read('a{b="1234"} 1\n', { labelsPerSeries: 1, labelValueLength: 4, samplesPerRequest: 1 })).not.toThrow()
  })
})

describe('the content type', () => {
  test.each([
    { contentType: 'text/plain; version=0.0.4; charset=utf-8', format: 'text' },
    { contentType: 'text/plain', format: 'text' },
    { contentType: 'text/plain; version=1.0.0; escaping=allow-utf-8', format: 'text' },
    { contentType: 'Application/OpenMetrics-Text; version="1.0.0"; charset=utf-8', format: 'openmetrics' },
    { contentType: 'application/openmetrics-text', format: 'openmetrics' }
  ])('$contentType is $format', ({ contentType, format }) => {
    expect(expositionFormat(contentType)).toBe(format)
  })

  test.each([undefined, '', 'text/html', 'application/json', 'text/plain; version=0.0.3', 'application/openmetrics-text; version=2.0.0', 'application/vnd.google.protobuf'])(
    '%s is refused, or read as the fallback if one is given', (contentType) => {
      expect(() => expositionFormat(contentType)).toThrow(expect.objectContaining({ code: 'unsupported-media-type' }))
      expect(expositionFormat(contentType, 'text')).toBe('text')
    })
})
