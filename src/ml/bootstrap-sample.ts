import type { Random } from './random.ts'
import type { TrainingColumns } from './training-columns.ts'

/**
 * The rows that one tree learns from, in memory that the next tree uses again. Rows that were drawn are numbered anew, 0 to
 * m − 1, each with its number of draws as weight; for every column they are kept in ascending order.
 */
export class BootstrapSample {
  /** Draws in all; the sum of the weights. */
  readonly draws: number
  /** For each column the row numbers, ascending in the column; growing a tree divides them. */
  readonly orders: readonly Int32Array[]
  /** For each column the rank of each row. */
  readonly ranks: readonly Int32Array[]
  /** Row of the training set behind each number. */
  readonly rowOf: Int32Array
  readonly weights: Float64Array
  /** Target × weight, the target measured from `center`, which keeps the sums small. */
  readonly sums: Float64Array
  /** Mean target of the sample. */
  center = 0
  private readonly training: TrainingColumns
  private readonly replace: boolean

  constructor (training: TrainingColumns, { draws, replace }: { draws: number, replace: boolean }) {
    const { rows, columns } = training
    this.training = training
    this.replace = replace
    this.draws = draws
    this.orders = columns.map(() => new Int32Array(rows))
    this.ranks = columns.map(() => new Int32Array(rows))
    this.rowOf = new Int32Array(rows)
    this.weights = new Float64Array(rows)
    this.sums = new Float64Array(rows)
  }

  /** Draws anew. Returns the number of different rows. */
  draw (random: Random): number {
    const { columns } = this.training
    const { numberOf, count } = this.numberRows(this.drawTimes(random))
    for (let column = 0; column < columns.length; column++) {
      selectOrder(columns[column].order, numberOf, this.orders[column])
      const { ranks } = columns[column]
      for (let i = 0; i < count; i++) this.ranks[column][i] = ranks[this.rowOf[i]]
    }
    return count
  }

  /** How often each row is in the sample. */
  private drawTimes (random: Random): Int32Array {
    const times = new Int32Array(this.training.rows)
    if (!this.replace) return times.fill(1)
    for (let i = 0; i < this.draws; i++) times[Math.floor(random() * times.length)]++
    return times
  }

  private numberRows (times: Int32Array): { numberOf: Int32Array, count: number } {
    const { y } = this.training
    let total = 0
    for (let row = 0; row < times.length; row++) total += times[row] * y[row]
    this.center = total / this.draws
    const numberOf = new Int32Array(times.length).fill(-1)
    let count = 0
    for (let row = 0; row < times.length; row++) {
      if (times[row] === 0) continue
      this.rowOf[count] = row
      this.weights[count] = times[row]
      this.sums[count] = times[row] * (y[row] - this.center)
      numberOf[row] = count++
    }
    return { numberOf, count }
  }
}

/** Without a branch on chance, which the processor would often guess wrong: a row that was not drawn (−1) is overwritten by the next. */
function selectOrder (all: Int32Array, numberOf: Int32Array, order: Int32Array): void {
  let count = 0
  for (let i = 0; i < all.length; i++) {
    const number = numberOf[all[i]]
    order[count] = number
    count += 1 + (number >> 31)
  }
}
