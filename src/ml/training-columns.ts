/** Rows to learn from. */
export interface TrainingSet {
  readonly features: readonly string[]
  /** Shape [rows, features], row after row. */
  readonly x: Float64Array
  /** The target of each row. */
  readonly y: Float64Array
}

/**
 * A training set, each column replaced by the ranks of its values, which is all that exact splits need: ranks compare as
 * the values do, and each column is sorted only once, however many trees there will be.
 */
export interface TrainingColumns {
  readonly rows: number
  readonly width: number
  readonly y: Float64Array
  readonly target: RankedColumn
  readonly columns: readonly (RankedColumn & { /** Rows in ascending order of the column. */ readonly order: Int32Array })[]
}

export interface RankedColumn {
  /** The distinct values, ascending. */
  readonly values: Float64Array
  /** For each row the place of its value in `values`. */
  readonly ranks: Int32Array
}

/** @throws RangeError if the shapes do not fit, there is no row, or a number is not finite. */
export function rankColumns ({ features, x, y }: TrainingSet): TrainingColumns {
  const rows = y.length
  const width = features.length
  if (rows === 0) throw new RangeError('Expected at least 1 training row, got 0.')
  if (width === 0 || width > 32767) throw new RangeError(`Expected 1 to 32767 features, got ${width}.`)
  if (x.length !== rows * width) throw new RangeError(`Expected ${rows} × ${width} = ${rows * width} numbers in x, got ${x.length}.`)
  refuseNotFinite(y, row => `the target of row ${row}`)
  refuseNotFinite(x, i => `feature ${i % width} (${features[i % width]}) of row ${Math.floor(i / width)}`)
  const columns = features.map((_, feature) => {
    const column = new Float64Array(rows)
    for (let row = 0; row < rows; row++) column[row] = x[row * width + feature]
    return rankColumn(column)
  })
  return { rows, width, y, target: rankColumn(y), columns }
}

function refuseNotFinite (numbers: Float64Array, where: (index: number) => string): void {
  for (let i = 0; i < numbers.length; i++) {
    if (!Number.isFinite(numbers[i])) throw new RangeError(`Expected a finite number for ${where(i)}, got ${numbers[i]}.`)
  }
}

function rankColumn (column: Float64Array): RankedColumn & { readonly order: Int32Array } {
  const order = orderOf(column)
  const ranks = new Int32Array(column.length)
  const values = new Float64Array(column.length)
  let distinct = 0
  for (let i = 0; i < order.length; i++) {
    const value = column[order[i]]
    if (distinct === 0 || value !== values[distinct - 1]) values[distinct++] = value
    ranks[order[i]] = distinct - 1
  }
  return { values: values.slice(0, distinct), ranks, order }
}

const digitBits = 11
const digitMask = (1 << digitBits) - 1

/** Rows in ascending order of the column: a radix sort, several times as fast as sorting with a comparison. */
function orderOf (column: Float64Array): Int32Array {
  const { high, low } = sortableBits(column)
  let order = Int32Array.from(column.keys())
  let sorted = new Int32Array(column.length)
  const next = new Int32Array(digitMask + 1)
  for (const { bits, shift } of [low, high].flatMap(bits => [0, digitBits, 2 * digitBits].map(shift => ({ bits, shift })))) {
    next.fill(0)
    for (let row = 0; row < bits.length; row++) next[(bits[row] >>> shift) & digitMask]++
    // Whole numbers leave most digits alike.
    if (next[(bits[0] >>> shift) & digitMask] === bits.length) continue
    let before = 0
    for (let digit = 0; digit < next.length; digit++) {
      const count = next[digit]
      next[digit] = before
      before += count
    }
    for (let i = 0; i < order.length; i++) {
      const row = order[i]
      sorted[next[(bits[row] >>> shift) & digitMask]++] = row
    }
    [order, sorted] = [sorted, order]
  }
  return order
}

/** The bits of each number, changed so that they compare as unsigned integers like the numbers themselves. */
function sortableBits (column: Float64Array): { high: Uint32Array, low: Uint32Array } {
  const high = new Uint32Array(column.length)
  const low = new Uint32Array(column.length)
  const view = new DataView(new ArrayBuffer(8))
  for (let row = 0; row < column.length; row++) {
    // −0 + 0 is 0, so that both zeros are one value.
    view.setFloat64(0, column[row] + 0)
    const upper = view.getUint32(0)
    const negative = upper >>> 31 === 1
    high[row] = upper ^ (negative ? 0xffffffff : 0x80000000)
    low[row] = view.getUint32(4) ^ (negative ? 0xffffffff : 0)
  }
  return { high, low }
}
