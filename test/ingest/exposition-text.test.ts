import { describe, expect, test } from 'vitest'
import { PrescaleError } from '../../src/errors.ts'
import { parseExposition } from '../../src/ingest/exposition.ts'

const at = 1_700_000_000_000
const parse = (text: string | Uint8Array) => parseExposition(text, { format: 'text', at })
const point = (metric: string, labels: Record<string, string>, value: number, time = at) =>
  ({ metric, labels: Object.entries(labels), at: time, value })

describe('good text', () => {
  test.each([
    { name: 'nothing at all', text: '', points: [] },
    { name: 'blank lines and comments', text: '\n \t\n# a comment\n#\n#HELP\n# EOF\n# TYPE\n', points: [] },
    { name: 'a bare sample', text: 'up 1\n', points: [point('up', {}, 1)] },
    { name: 'blanks and tabs between all tokens', text: ' \tname\t{ a = "1" ,\tb\t=\t"2" , }\t2 \t 3 \n', points: [point('name', { a: '1', b: '2' }, 2, 3)] },
    { name: 'empty braces', text: 'a{} 1\nb { } 2\n', points: [point('a', {}, 1), point('b', {}, 2)] },
    { name: 'a value right after the braces', text: 'a{b="c"}1\n', points: [point('a', { b: 'c' }, 1)] },
    { name: 'a comma at the end of the labels', text: 'a{b="c",} 1\n', points: [point('a', { b: 'c' }, 1)] },
    { name: 'braces, commas and # in a value', text: 'a{b="}, c=# \t"} 1\n', points: [point('a', { b: '}, c=# \t' }, 1)] },
    { name: 'the three escapes', text: 'a{b="x\\\\y\\"z\\nq\\\\n"} 1\n', points: [point('a', { b: 'x\\y"z\nq\\n' }, 1)] },
    { name: 'colons in metric names', text: ':a:b 1\n', points: [point(':a:b', {}, 1)] },
    { name: 'an empty value of a label', text: 'a{b=""} 1\n', points: [point('a', { b: '' }, 1)] },
    { name: 'negative, signed and absent timestamps', text: 'a 1 -5\na 1 +7\na 1\n', points: [point('a', {}, 1, -5), point('a', {}, 1, 7), point('a', {}, 1)] },
    { name: 'all forms of numbers', text: 'a 1.\na .5\na +1e3\na -1.5E-2\na 00012\n', points: [1, 0.5, 1000, -0.015, 12].map((value) => point('a', {}, value)) },
    { name: 'quoted UTF-8 names', text: '{"my.metric","a.b"="x",c="ü"} 1\n', points: [point('my.metric', { 'a.b': 'x', c: 'ü' }, 1)] },
    { name: 'a quoted metric name after labels', text: '{a="1", "my.metric"} 1\n', points: [point('my.metric', { a: '1' }, 1)] },
    { name: 'a quoted label beside a plain name', text: 'a{"b c"="1"} 1\n', points: [point('a', { 'b c': '1' }, 1)] },
    { name: 'escapes in quoted names', text: '{"a\\"b\\nc\\\\"} 1\n', points: [point('a"b\nc\\', {}, 1)] },
    { name: 'quoted names in HELP and TYPE', text: '# HELP "a.b" x\n# TYPE "a.b" counter\n{"a.b"} 1\n', points: [point('a.b', {}, 1)] },
    { name: 'HELP and TYPE without text', text: '# HELP a\n# TYPE a\n# HELP a b\n# TYPE a gauge\na 1\n', points: [point('a', {}, 1)] },
    { name: 'escapes in HELP, quotes in HELP', text: '# HELP a x\\\\y\\nz "q"\na 1\n', points: [point('a', {}, 1)] },
    { name: 'types in any case, and both spellings of gauge histograms', text: '# TYPE a COUNTER\n# TYPE b gauge_histogram\n#TYPE c gaugehistogram\n', points: [] },
    { name: 'a summary', text: '# TYPE a summary\na{quantile="0.5"} -1\na_sum -1\na_count 2\n', points: [point('a', { quantile: '0.5' }, -1), point('a_sum', {}, -1), point('a_count', {}, 2)] },
    { name: 'a histogram', text: '# TYPE a histogram\na_bucket{le="+Inf"} 1.5\na_sum -2\na_count 1.5\n', points: [point('a_bucket', { le: '+Inf' }, 1.5), point('a_sum', {}, -2), point('a_count', {}, 1.5)] },
    { name: 'a strange le outside of histograms', text: 'a_bucket{le="x"} -1\n', points: [point('a_bucket', { le: 'x' }, -1)] },
    { name: 'a family of its own that looks like part of a histogram', text: '# TYPE a histogram\n# TYPE a_count gauge\na_count -1\n', points: [point('a_count', {}, -1)] }
  ])('$name', ({ text, points }) => {
    expect(parse(text)).toEqual(points)
  })

  test('keeps labels called __proto__ and constructor as entries', () => {
    expect(parse('a{__proto__="x",constructor="y"} 1\n')[0].labels).toEqual([['__proto__', 'x'], ['constructor', 'y']])
  })

  test.each(['NaN', 'nan', '+Inf', '-Inf', 'Inf', 'inf', 'Infinity', '+infinity'])('%s is read, and is no measurement', (text) => {
    const value = /nan/i.test(text) ? NaN : text.startsWith('-') ? -Infinity : Infinity
    expect(parse(`a ${text}\n`)).toEqual([{ ...point('a', {}, value), stale: true }])
  })
})

describe('bad text', () => {
  test.each([
    { name: 'no line feed at the end', text: 'a 1\nb 2', line: 2 },
    { name: 'carriage returns', text: 'a 1\r\n', line: 1 },
    { name: 'a name that begins with a digit', text: '0a 1\n', line: 1 },
    { name: 'a dot in a name without quotes', text: 'a.b 1\n', line: 1 },
    { name: 'no name', text: '{a="b"} 1\n', line: 1 },
    { name: 'no name and no labels', text: 'a 1\n{} 1\n', line: 2 },
    { name: 'an empty quoted name', text: '{""} 1\n', line: 1 },
    { name: 'two quoted names', text: '{"a","b"} 1\n', line: 1 },
    { name: 'a second name in quotes', text: 'a{"b"} 1\n', line: 1 },
    { name: 'no value', text: 'a\n', line: 1 },
    { name: 'no value after labels', text: 'a{b="c"} \n', line: 1 },
    { name: '__name__ as a label', text: 'a{__name__="b"} 1\n', line: 1 },
    { name: '__name__ as a quoted label', text: 'a{"__name__"="b"} 1\n', line: 1 },
    { name: 'a label twice', text: 'a{b="1",b="1"} 1\n', line: 1 },
    { name: 'a label twice, once in quotes', text: 'a{b="1","b"="2"} 1\n', line: 1 },
    { name: 'a colon in a label name', text: 'a{b:c="1"} 1\n', line: 1 },
    { name: 'only a comma', text: 'a{,} 1\n', line: 1 },
    { name: 'two commas', text: 'a{b="1",,c="2"} 1\n', line: 1 },
    { name: 'no comma', text: 'a{b="1" c="2"} 1\n', line: 1 },
    { name: 'no quotes', text: 'a{b=1} 1\n', line: 1 },
    { name: 'single quotes', text: "a{b='1'} 1\n", line: 1 },
    { name: 'no equals sign', text: 'a{b"1"} 1\n', line: 1 },
    { name: 'no closing brace', text: 'a{b="1" 1\n', line: 1 },
    { name: 'no closing quote', text: 'a{b="1} 1\nc 1\n', line: 1 },
    { name: 'a line feed in a value', text: 'a{b="x\ny"} 1\n', line: 1 },
    { name: 'a line feed after an escape', text: 'a{b="\\\\x\ny"} 1\n', line: 1 },
    { name: 'an unknown escape', text: 'a{b="\\t"} 1\n', line: 1 },
    { name: 'an unknown escape in HELP', text: '# HELP a \\t\n', line: 1 },
    { name: 'an escaped quote in HELP', text: '# HELP a \\"\n', line: 1 },
    { name: 'a backslash at the end of a value', text: 'a{b="x\\"} 1\n', line: 1 },
    { name: 'HELP twice', text: '# HELP a b\n# HELP a b\n', line: 2 },
    { name: 'TYPE twice', text: '# TYPE a gauge\n# TYPE a gauge\n', line: 2 },
    { name: 'TYPE after samples', text: 'a 1\n# TYPE a gauge\n', line: 2 },
    { name: 'an unknown type', text: '# TYPE a meter\n', line: 1 },
    { name: 'a type with a blank behind', text: '# TYPE a gauge \n', line: 1 },
    { name: 'a bad name in TYPE', text: '# TYPE a-b\n', line: 1 },
    { name: 'a timestamp with a fraction', text: 'a 1 2.5\n', line: 1 },
    { name: 'a timestamp of more than 64 bits', text: 'a 1 99999999999999999999\n', line: 1 },
    { name: 'something after the timestamp', text: 'a 1 2 3\n', line: 1 },
    { name: 'an exemplar', text: 'a 1 # {} 1\n', line: 1 },
    { name: 'a quantile that is no number', text: '# TYPE a summary\na{quantile="x"} 1\n', line: 2 },
    { name: 'a hexadecimal le', text: '# TYPE a histogram\na_bucket{le="0x1p-3"} 1\n', line: 2 },
    { name: 'a negative bucket', text: '# TYPE a histogram\na_bucket{le="1"} -1\n', line: 2 },
    { name: 'a negative count', text: '# TYPE a histogram\na_count -1\n', line: 2 },
    { name: 'a negative count of a summary', text: '# TYPE a summary\na_count -1\n', line: 2 }
  ])('$name', ({ text, line }) => {
    expect(() => parse(text)).toThrow(`Line ${line} is not valid`)
    expect(() => parse(text)).toThrow(PrescaleError)
  })

  test.each([
    '0x1p-3', '0X1', '0b1', '0o17', '1_000', '1e', 'e5', '.', '+', '-', '--1', '1,5', '1e999', '-1e999', '+NaN', 'Infinit', 'one', '1f', '١'
  ])('%s is no number', (value) => {
    expect(() => parse(`a ${value}\n`)).toThrow('Line 1')
  })

  test('is quoted in short, however long it is', () => {
    expect(() => parse(`a ${'x'.repeat(1e6)}\n`)).toThrow(/^.{100,400}$/)
  })

  test('is text that is not UTF-8', () => {
    expect(() => parse(Buffer.from('a{b="\xbd"} 1\n', 'latin1'))).toThrow('not valid UTF-8')
    expect(parse(Buffer.from('a{b="\ufffd"} 1\n'))[0].labels).toEqual([['b', '\ufffd']])
  })
})
