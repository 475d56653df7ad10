/** A linear prediction from standardised features: y ≈ intercept + Σ weights[i] × clip((x[i] − centre[i]) / spread[i]). */
export interface Ridge {
  readonly centre: Float64Array
  readonly spread: Float64Array
  readonly weights: Float64Array
  readonly intercept: number
}

/** Standardised values beyond this say "very", not "how much": one outage must not swing a linear model. */
const clipAt = 6
const isConstant = (spread: number) => spread < 1e-9

/**
 * Least squares with an L2 penalty on standardised features.
 *
 * @param x shape [rows, width], row-major, finite.
 * @param penalty added to the diagonal of the correlation matrix, as a share of the rows; larger is smoother.
 * @see Hoerl and Kennard, "Ridge Regression", Technometrics 1970.
 */
export function trainRidge (x: Float64Array, y: Float64Array, { width, penalty }: { width: number, penalty: number }): Ridge {
  const rows = y.length
  const { centre, spread } = standardise(x, { rows, width })
  const intercept = y.reduce((sum, value) => sum + value, 0) / rows
  const gram = new Float64Array(width * width)
  const moment = new Float64Array(width)
  const z = new Float64Array(width)
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < width; i++) z[i] = standardised(x[r * width + i], centre[i], spread[i])
    const residual = y[r] - intercept
    for (let i = 0; i < width; i++) {
      const value = z[i]
      if (value === 0) continue
      moment[i] += value * residual
      const at = i * width
      for (let j = 0; j <= i; j++) gram[at + j] += value * z[j]
    }
  }
  for (let i = 0; i < width; i++) gram[i * width + i] += penalty * rows + 1e-9
  return { centre, spread, weights: solve(gram, moment), intercept }
}

export function predictRidge ({ centre, spread, weights, intercept }: Ridge, x: Float64Array, offset = 0): number {
  let sum = intercept
  for (let i = 0; i < weights.length; i++) sum += weights[i] * standardised(x[offset + i], centre[i], spread[i])
  return sum
}

function standardised (value: number, centre: number, spread: number): number {
  if (spread === 0) return 0
  const z = (value - centre) / spread
  return z > clipAt ? clipAt : z < -clipAt ? -clipAt : z
}

function standardise (x: Float64Array, { rows, width }: { rows: number, width: number }): { centre: Float64Array, spread: Float64Array } {
  const centre = new Float64Array(width)
  const squares = new Float64Array(width)
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < width; i++) {
      const delta = x[r * width + i] - centre[i]
      centre[i] += delta / (r + 1)
      squares[i] += delta * (x[r * width + i] - centre[i])
    }
  }
  const spread = squares.map(sum => Math.sqrt(sum / rows)).map(value => isConstant(value) ? 0 : value)
  return { centre, spread }
}

/** Solves the symmetric positive definite system whose lower triangle is `matrix` (by Cholesky, in place). */
function solve (matrix: Float64Array, right: Float64Array): Float64Array {
  const n = right.length
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]
      for (let k = 0; k < j; k++) sum -= matrix[i * n + k] * matrix[j * n + k]
      matrix[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / matrix[j * n + j]
    }
  }
  const solution = right.slice()
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) solution[i] -= matrix[i * n + k] * solution[k]
    solution[i] /= matrix[i * n + i]
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) solution[i] -= matrix[k * n + i] * solution[k]
    solution[i] /= matrix[i * n + i]
  }
  return solution
}
