import { malformed, readMessage, readNested, readString, skip, type ProtoReader } from './protobuf-reader.ts'
import { addLabel, finishSeries, newRawSeries, readSample, type WriteCollector } from './remote-write-series.ts'

/**
 * prometheus.WriteRequest: 1 TimeSeries { 1 Label { 1 name, 2 value }, 2 Sample, 3 Exemplar, 4 Histogram }, 3 MetricMetadata.
 * Metadata come in requests of their own, without a series, and are not used.
 */
export function readWriteRequestV1 (reader: ProtoReader, collector: WriteCollector): void {
  readMessage(reader, (field, wireType) => {
    if (field === 1) return readSeries(reader, wireType, collector)
    // Skipping these as unknown would acknowledge a body and keep nothing of it.
    if (field === 4 || field === 5) throw malformed(reader, `field ${field} belongs to remote write 2.0, which the content type does not name`)
    return false
  })
}

function readSeries (reader: ProtoReader, wireType: number, collector: WriteCollector): void {
  const series = newRawSeries()
  readNested(reader, wireType, (field, wireType) => {
    if (field === 1) {
      let [name, value]: [string | null, string | null] = ['', '']
      readNested(reader, wireType, (field, wireType) => {
        if (field === 1) name = readString(reader, wireType)
        else if (field === 2) value = readString(reader, wireType)
        else return false
      })
      addLabel(series, name, value, collector.limits)
    } else if (field === 2) {
      readSample(reader, wireType, series)
    } else {
      if (field === 3) series.exemplars++
      else if (field === 4) series.histograms++
      skip(reader, wireType)
    }
  })
  finishSeries(collector, series)
}
