import { describe, expect, test } from 'vitest'
import { PrescaleError } from '../../src/errors.ts'
import { parseExposition } from '../../src/ingest/exposition.ts'

const at = 1_700_000_000_000
/** Adds the line that every exposition ends with. */
const parse = (lines: string) => parseExposition(`${lines}# EOF\n`, { format: 'openmetrics', at })
const point = (metric: string, labels: Record<string, string>, value: number, time = at) =>
  ({ metric, labels: Object.entries(labels), at: time, value })

describe('good OpenMetrics', () => {
  test.each([
    { name: 'nothing', text: '', points: [] },
    { name: 'a sample without metadata', text: 'a 1\n', points: [point('a', {}, 1)] },
    { name: 'a counter', text: '# HELP a help\n# TYPE a counter\na_total{b="c"} 1\na_created{b="c"} 2\n', points: [point('a_total', { b: 'c' }, 1), point('a_created', { b: 'c' }, 2)] },
    { name: 'timestamps in seconds', text: '# TYPE a gauge\na 1 1.5\nb 1 -2\nc 1 1.7e9\n', points: [point('a', {}, 1, 1500), point('b', {}, 1, -2000), point('c', {}, 1, 1.7e12)] },
    { name: 'a unit', text: '# TYPE a_seconds gauge\n# UNIT a_seconds seconds\n# HELP a_seconds x\na_seconds 1\n', points: [point('a_seconds', {}, 1)] },
    { name: 'empty help and unit', text: '# HELP a \n# UNIT a \na 1\n', points: [point('a', {}, 1)] },
    { name: 'escapes, also unknown ones, which stay as they are', text: 'a{b="\\"\\n\\\\\\t"} 1\n', points: [point('a', { b: '"\n\\\\t' }, 1)] },
    { name: 'carriage returns within values', text: 'a{b="\r"} 1\n', points: [point('a', { b: '\r' }, 1)] },
    { name: 'quoted UTF-8 names', text: '# TYPE "a.b" gauge\n{"a.b","c d"="1"} 1\n', points: [point('a.b', { 'c d': '1' }, 1)] },
    { name: 'exemplars of counters', text: '# TYPE a counter\na_total 1 # {t="x"} 0.5 1.25\nb 1\n', points: [point('a_total', {}, 1), point('b', {}, 1)] },
    { name: 'exemplars after a timestamp', text: '# TYPE a counter\na_total 1 2 # {} 0.5\n', points: [point('a_total', {}, 1, 2000)] },
    { name: '" # " in a label value', text: 'a{b="x # {"} 1\n', points: [point('a', { b: 'x # {' }, 1)] },
    { name: 'an exemplar of 128 characters', text: `# TYPE a counter\na_total 1 # {t="${'ü'.repeat(127)}"} 1\n`, points: [point('a_total', {}, 1)] },
    { name: 'a summary', text: '# TYPE a summary\na_count 1\na_sum 2\na{quantile="1"} 0.5\n', points: [point('a_count', {}, 1), point('a_sum', {}, 2), point('a', { quantile: '1' }, 0.5)] },
    { name: 'an info and a state set', text: '# TYPE a info\na_info{v="1"} 1\n# TYPE b stateset\nb{b="on"} 1\nb{b="off"} 0\n', points: [point('a_info', { v: '1' }, 1), point('b', { b: 'on' }, 1), point('b', { b: 'off' }, 0)] },
    { name: 'several times of one metric', text: '# TYPE a gauge\na{b="1"} 1 1\na{b="1"} 2 2\na{b="2"} 3 1\n', points: [point('a', { b: '1' }, 1, 1000), point('a', { b: '1' }, 2, 2000), point('a', { b: '2' }, 3, 1000)] }
  ])('$name', ({ text, points }) => {
    expect(parse(text)).toEqual(points)
  })

  test('histograms with and without sum, several label sets and times', () => {
    expect(parse('# TYPE a histogram\na_bucket{le="1.0"} 1 # {t="x"} 0.5\na_bucket{le="+Inf"} 3\na_count 3\na_sum 2.5\na_created 1\n')).toHaveLength(5)
    expect(parse('# TYPE a histogram\na_bucket{x="1",le="+Inf"} 0\na_bucket{x="2",le="+Inf"} 0\n')).toHaveLength(2)
    expect(parse('# TYPE a histogram\na_bucket{le="-1"} 1\na_bucket{le="+Inf"} 3\na_count 3\n')).toHaveLength(3)
    expect(parse('# TYPE a histogram\na_bucket{le="+Inf"} 5 1\na_bucket{le="+Inf"} 6 2\n')).toHaveLength(2)
    expect(parse('# TYPE a gaugehistogram\na_bucket{le="-1"} 1\na_bucket{le="+Inf"} 3\na_gcount 3\na_gsum -2\n')).toHaveLength(4)
  })

  test('the line feed after # EOF may be missing', () => {
    expect(parseExposition('a 1\n# EOF', { format: 'openmetrics', at })).toHaveLength(1)
  })
})

describe('bad OpenMetrics', () => {
  test.each([
    { name: 'no # EOF', text: 'a 1\n' }, { name: 'empty text', text: '' }, { name: 'text after # EOF', text: 'a 1\n# EOF\nb 1\n' },
    { name: '# EOF twice', text: '# EOF\n# EOF\n' }, { name: '# EOF with a blank', text: 'a 1\n# EOF \n' }, { name: '# EOF with more', text: '# EOFx\n' }
  ])('$name', ({ text }) => {
    expect(() => parseExposition(text, { format: 'openmetrics', at })).toThrow(PrescaleError)
  })

  test.each([
    // Lines and blanks
    { name: 'a blank line', text: 'a 1\n\n' }, { name: 'a carriage return', text: 'a 1\r\n' }, { name: 'a leading blank', text: ' a 1\n' },
    { name: 'two blanks before the value', text: 'a  1\n' }, { name: 'a tab before the value', text: 'a\t1\n' }, { name: 'a trailing blank', text: 'a 1 \n' },
    { name: 'a blank before the braces', text: 'a {b="c"} 1\n' }, { name: 'a blank in the braces', text: 'a{ b="c"} 1\n' },
    { name: 'a blank around =', text: 'a{b ="c"} 1\n' }, { name: 'a comma at the end', text: 'a{b="c",} 1\n' }, { name: 'no blank after the braces', text: 'a{b="c"}1\n' },
    { name: 'a free comment', text: '# hello\n' }, { name: 'unknown metadata', text: '# FOO a b\n' }, { name: 'no blank after #', text: '#TYPE a gauge\n' },
    // Metadata
    { name: 'HELP without text', text: '# HELP a\n' }, { name: 'TYPE without type', text: '# TYPE a \n' }, { name: 'untyped', text: '# TYPE a untyped\n' },
    { name: 'upper case', text: '# TYPE a GAUGE\n' }, { name: 'a blank behind the type', text: '# TYPE a gauge \n' }, { name: 'constructor', text: '# TYPE a constructor\n' },
    { name: 'a unit that the name does not end with', text: '# UNIT a seconds\n' }, { name: 'a unit of an info', text: '# TYPE a_u info\n# UNIT a_u u\n' },
    { name: 'a unit of a state set, type last', text: '# UNIT a_u u\n# TYPE a_u stateset\n' },
    { name: 'HELP twice', text: '# HELP a x\n# HELP a x\n' }, { name: 'empty HELP twice', text: '# HELP a \n# HELP a \n' }, { name: 'TYPE twice', text: '# TYPE a gauge\n# TYPE a gauge\n' },
    { name: 'metadata after samples', text: '# TYPE a gauge\na 1\n# HELP a x\n' }, { name: 'mixed families', text: '# TYPE a gauge\n# TYPE b gauge\na 1\nb 1\n' },
    { name: 'a family that comes back', text: 'a 1\nb 1\na{x="1"} 1\n' }, { name: 'a sample name of two families', text: '# TYPE a_created gauge\n# TYPE a counter\n' },
    // Names and labels
    { name: 'a counter without _total', text: '# TYPE a counter\na 1\na_total 1\n' }, { name: 'a dot in a name', text: 'a.b 1\n' }, { name: 'no name', text: '{b="c"} 1\n' },
    { name: 'a label twice', text: 'a{b="1",b="2"} 1\n' }, { name: '__name__', text: 'a{__name__="b"} 1\n' }, { name: 'two quoted names', text: '{"a","b"} 1\n' },
    // Numbers
    { name: 'a hexadecimal value', text: 'a 0x1p-3\n' }, { name: 'an underscore', text: 'a 1_2\n' }, { name: 'a word', text: 'a b\n' },
    { name: 'a timestamp that is no number', text: 'a 1 z\n' }, { name: 'a timestamp NaN', text: 'a 1 NaN\n' }, { name: 'a timestamp +Inf', text: 'a 1 +Inf\n' },
    { name: 'time going back', text: '# TYPE a gauge\na 1 2\na 1 1\n' }, { name: 'only some timestamps', text: '# TYPE a gauge\na 1 1\na 1\n' },
    // Values of types
    { name: 'a negative counter', text: '# TYPE a counter\na_total -1\n' }, { name: 'a counter NaN', text: '# TYPE a counter\na_total NaN\n' },
    { name: 'an info of 2', text: '# TYPE a info\na_info 2\n' }, { name: 'a state of 2', text: '# TYPE a stateset\na{a="x"} 2\n' }, { name: 'a state without its label', text: '# TYPE a stateset\na{b="x"} 1\n' },
    { name: 'a summary without a quantile', text: '# TYPE a summary\na 1\n' }, { name: 'a quantile above 1', text: '# TYPE a summary\na{quantile="1.1"} 1\n' },
    { name: 'a negative quantile value', text: '# TYPE a summary\na{quantile="0.5"} -1\n' }, { name: 'half a count', text: '# TYPE a summary\na_count 0.5\n' },
    { name: 'a negative sum', text: '# TYPE a summary\na_sum -1\n' },
    // Histograms
    { name: 'a bucket without le', text: '# TYPE a histogram\na_bucket 1\n' }, { name: 'le="+INF"', text: '# TYPE a histogram\na_bucket{le="+INF"} 1\n' },
    { name: 'le="NaN"', text: '# TYPE a histogram\na_bucket{le="NaN"} 1\na_bucket{le="+Inf"} 1\n' },
    { name: 'no bucket +Inf', text: '# TYPE a histogram\na_bucket{le="1"} 1\n' }, { name: 'only a sum', text: '# TYPE a histogram\na_sum 1\n' },
    { name: 'descending buckets', text: '# TYPE a histogram\na_bucket{le="2"} 0\na_bucket{le="1"} 0\na_bucket{le="+Inf"} 0\n' },
    { name: 'a bucket twice', text: '# TYPE a histogram\na_bucket{le="1"} 0\na_bucket{le="1.0"} 0\na_bucket{le="+Inf"} 0\n' },
    { name: 'buckets that are not cumulative', text: '# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\n' },
    { name: 'a count that is not the bucket +Inf', text: '# TYPE a histogram\na_bucket{le="+Inf"} 2\na_count 1\na_sum 1\n' },
    { name: 'a sum without a count', text: '# TYPE a histogram\na_bucket{le="+Inf"} 2\na_sum 1\n' }, { name: 'a count without a sum', text: '# TYPE a histogram\na_bucket{le="+Inf"} 2\na_count 2\n' },
    { name: 'a sum with negative buckets', text: '# TYPE a histogram\na_bucket{le="-1"} 1\na_bucket{le="+Inf"} 2\na_count 2\na_sum 1\n' },
    { name: 'half an observation', text: '# TYPE a histogram\na_bucket{le="+Inf"} 0.5\n' }, { name: 'a negative sum of a gauge histogram', text: '# TYPE a gaugehistogram\na_bucket{le="+Inf"} 1\na_gcount 1\na_gsum -1\n' },
    { name: 'label sets that are mixed', text: '# TYPE a histogram\na_bucket{x="1",le="+Inf"} 0\na_bucket{x="2",le="+Inf"} 0\na_count{x="1"} 0\na_sum{x="1"} 0\n' },
    // Exemplars
    { name: 'an exemplar of a gauge', text: '# TYPE a gauge\na 1 # {b="c"} 1\n' }, { name: 'an exemplar of a sum', text: '# TYPE a summary\na_sum 1 # {b="c"} 1\n' },
    { name: 'an exemplar of _created', text: '# TYPE a counter\na_created 1 # {b="c"} 1\n' }, { name: 'an exemplar without a value', text: '# TYPE a counter\na_total 1 # {}\n' },
    { name: 'an exemplar without braces', text: '# TYPE a counter\na_total 1 # 1\n' }, { name: 'an exemplar without a blank', text: '# TYPE a counter\na_total 1# {} 1\n' },
    { name: 'an exemplar with a strange timestamp', text: '# TYPE a counter\na_total 1 # {} 1 0x1\n' }, { name: 'an exemplar with a name', text: '# TYPE a counter\na_total 1 # {"a"} 1\n' },
    { name: 'an exemplar of 129 characters', text: `# TYPE a counter\na_total 1 # {t="${'x'.repeat(128)}"} 1\n` }
  ])('$name', ({ text }) => {
    expect(() => parse(text)).toThrow(PrescaleError)
    expect(() => parse(text)).toThrow(/^Line \d+ is not valid: /)
  })
})
