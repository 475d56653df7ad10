/** A place in one Redis stream: the time of the entry in ms, and its number within that millisecond. */
export interface EntryId { readonly ms: number, readonly seq: number }

/** A place in the streams of all partitions: for each of them the last entry that was seen. */
export type Position = readonly EntryId[]

export const beginning: EntryId = { ms: 0, seq: 0 }

/** @throws RangeError for anything but `1700000000000-0`. */
export function parseEntryId (text: string): EntryId {
  const [, ms, seq] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? []
  if (ms === undefined) throw new RangeError(`Expected an id of a stream entry such as 1700000000000-0, got ${text}.`)
  return { ms: Number(ms), seq: Number(seq) }
}

export function formatEntryId ({ ms, seq }: EntryId): string {
  return `${ms}-${seq}`
}

/** Negative when `a` comes before `b`. */
export function compareEntryIds (a: EntryId, b: EntryId): number {
  return a.ms - b.ms || a.seq - b.seq
}

/** True when nothing of `position` is still before `other`. */
export function hasReached (position: Position, other: Position): boolean {
  return position.every((id, partition) => compareEntryIds(id, other[partition]) >= 0)
}

export function withEntry (position: Position, partition: number, id: EntryId): Position {
  return position.map((old, index) => index === partition ? id : old)
}

/**
 * Short text for a header: the newest time, then for each partition how much older it is, all in base 36. Eight partitions that were
 * written in the same minute take about 50 characters.
 */
export function formatPosition (position: Position): string {
  const newest = Math.max(...position.map(({ ms }) => ms))
  const parts = position.map(({ ms, seq }) => ms === 0 ? '-' : `${(newest - ms).toString(36)}${seq === 0 ? '' : `.${seq.toString(36)}`}`)
  return [newest.toString(36), ...parts].join('_')
}

/** Null for a text that is no position of that many partitions. */
export function parsePosition (text: string, partitions: number): Position | null {
  const [head, ...parts] = text.split('_')
  if (parts.length !== partitions || !/^[0-9a-z]{1,9}$/.test(head)) return null
  const newest = parseInt(head, 36)
  const position: EntryId[] = []
  for (const part of parts) {
    const [, age, seq = '0'] = /^([0-9a-z]{1,9})(?:\.([0-9a-z]{1,9}))?$/.exec(part) ?? []
    if (part !== '-' && (age === undefined || parseInt(age, 36) > newest)) return null
    position.push(part === '-' ? beginning : { ms: newest - parseInt(age, 36), seq: parseInt(seq, 36) })
  }
  return position
}
