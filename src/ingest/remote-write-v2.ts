import { limitError } from './limits.ts'
import { malformed, readEnd, readMessage, readNested, readString, readVarint, skip, wire, type ProtoReader } from './protobuf-reader.ts'
import { addLabel, finishSeries, newRawSeries, readSample, type RawSeries, type WriteCollector } from './remote-write-series.ts'

/**
 * io.prometheus.write.v2.Request (2.0-rc.4): 4 symbols, 5 TimeSeries { 1 labels_refs, 2 Sample, 3 Histogram, 4 Exemplar, 5 Metadata }.
 * Fields 1 to 3 are reserved so that a body of version 1.0 is recognised.
 */
export function readWriteRequestV2 (reader: ProtoReader, collector: WriteCollector): void {
  const { at } = reader
  const symbols: (string | null)[] = []
  // No series has more than a few labels of its own: a table far longer than what it serves is not one.
  const maxSymbols = 4 * collector.limits.samplesPerRequest
  readMessage(reader, (field, wireType) => {
    if (field < 4) throw malformed(reader, `field ${field} is reserved, as if this were remote write 1.0 under the name of 2.0`)
    if (field !== 4) return false
    if (symbols.push(readString(reader, wireType)) > maxSymbols) throw limitError(`The table has more than ${maxSymbols} symbols, 4 for each of samplesPerRequest`)
  })
  reader.at = at
  if (symbols.length > 0 && symbols[0] !== '') throw malformed(reader, 'the first symbol must be empty')
  readMessage(reader, (field, wireType) => field === 5 ? readSeries(reader, wireType, { collector, symbols }) : false)
}

interface Context { readonly collector: WriteCollector, readonly symbols: readonly (string | null)[] }

function readSeries (reader: ProtoReader, wireType: number, { collector, symbols }: Context): void {
  const series = newRawSeries()
  const references: number[] = []
  // Name and value for each label and for __name__, and one pair more, by which it shows that there are too many.
  const maxReferences = 2 * (collector.limits.labelsPerSeries + 2)
  const keep = () => {
    const reference = readVarint(reader)
    if (references.length < maxReferences) references.push(reference)
  }
  readNested(reader, wireType, (field, wireType) => {
    if (field === 1 && wireType === wire.varint) {
      keep()
    } else if (field === 1) {
      const end = readEnd(reader, wireType)
      while (reader.at < end) keep()
      if (reader.at !== end) throw malformed(reader, 'a reference reaches beyond its list')
    } else if (field === 2) {
      readSample(reader, wireType, series)
    } else {
      if (field === 3) series.histograms++
      else if (field === 4) series.exemplars++
      skip(reader, wireType)
    }
  })
  resolveLabels(series, references, { collector, symbols })
  finishSeries(collector, series)
}

function resolveLabels (series: RawSeries, references: readonly number[], { collector, symbols }: Context): void {
  if (references.length % 2 !== 0) series.problem = `${references.length} label references are no pairs`
  for (let i = 0; i + 1 < references.length; i += 2) {
    const [name, value] = [references[i], references[i + 1]]
    if (Math.max(name, value) >= symbols.length) series.problem ??= `symbol ${Math.max(name, value)} is not in the table of ${symbols.length}`
    else addLabel(series, symbols[name], symbols[value], collector.limits)
  }
}
