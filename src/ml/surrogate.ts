import { createRandom, normal, type Random } from './random.ts'

/**
 * What a configuration would be worth in a context, with its uncertainty: an ensemble of small networks.
 *
 * Each network has one hidden layer of tanh units and a linear way past it. The hidden weights are drawn once from the seed, sparsely (a unit
 * sees one or two coordinates of the configuration, half of the units the context as well); the output weights are the exact posterior of
 * Bayesian linear regression on the hidden layer, so a feedback is learned completely at once, and what is not known is known not to be known.
 *
 * @see Rahimi and Recht, "Weighted sums of random kitchen sinks", NIPS 2008; Osband et al., "Randomized prior functions", NeurIPS 2018;
 *   Oza, "Online bagging", 2005, for the weights that differ from member to member.
 */
export interface SurrogateShape {
  readonly members: number
  readonly hidden: number
  /** Coordinates of a configuration, each about 0 to 1. */
  readonly width: number
  /** How far a context coordinate must move to be another world; one entry for each. */
  readonly contextScales: readonly number[]
  readonly seed: number
}

/** Standard deviations, in units of utility. */
export interface SurrogatePrior {
  readonly noise: number
  /** Of what the configuration does everywhere, of what it does in one context only. */
  readonly shared: number
  readonly specific: number
  /** Of linear slopes, per unit of a configuration coordinate and of a context coordinate. */
  readonly slope: number
  readonly contextSlope: number
  readonly level: number
}

/** What has been learned: for each member the information matrix (packed lower triangle) and the right-hand side. Serialisable. */
export interface SurrogateMemory {
  readonly information: readonly Float32Array[]
  readonly target: readonly Float32Array[]
}

interface Hidden {
  readonly first: Int32Array
  readonly second: Int32Array
  readonly firstWeight: Float64Array
  readonly secondWeight: Float64Array
  readonly bias: Float64Array
  /** Rows of units × context coordinates. */
  readonly context: Float64Array
}
/** A length of 0.4 in a coordinate is about one bend. */
const coordinateScale = 0.4

function drawHidden ({ hidden, width, contextScales }: SurrogateShape, random: Random): Hidden {
  const layer: Hidden = {
    first: new Int32Array(hidden),
    second: new Int32Array(hidden),
    firstWeight: new Float64Array(hidden),
    secondWeight: new Float64Array(hidden),
    bias: new Float64Array(hidden),
    context: new Float64Array(hidden * contextScales.length)
  }
  for (let j = 0; j < hidden; j++) {
    layer.first[j] = j % width
    layer.firstWeight[j] = normal(random) / coordinateScale
    const other = Math.floor(random() * width)
    layer.second[j] = other
    if (other !== layer.first[j] && random() < 0.5) layer.secondWeight[j] = normal(random) / coordinateScale
    // Centred on a random place, so that the bends lie where configurations are.
    layer.bias[j] = -layer.firstWeight[j] * random() - layer.secondWeight[j] * random()
    if (j >= hidden / 2) continue
    layer.bias[j] += 0.7 * normal(random)
    contextScales.forEach((scale, i) => { layer.context[j * contextScales.length + i] = normal(random) / scale })
  }
  return layer
}

/** The hyperbolic tangent to 2.5 %, smooth and 1 from 3 on: Padé's approximant, several times as fast as Math.tanh. */
function bend (x: number): number {
  if (x >= 3) return 1
  if (x <= -3) return -1
  const square = x * x
  return x * (27 + square) / (27 + 9 * square)
}

const packed = (i: number, j: number) => i * (i + 1) / 2 + j

/** One member solved: mean of its weights, and the factor of their inverse covariance. */
interface Solved { readonly mean: Float64Array, readonly factor: Float64Array }

export interface GainEstimate {
  readonly mean: number
  readonly deviation: number
}

/** The number of weights of one member's output layer: hidden units, a constant, coordinates, context. */
const sizeOf = ({ hidden, width, contextScales }: SurrogateShape) => hidden + 1 + width + contextScales.length

export function emptyMemory (shape: SurrogateShape): SurrogateMemory {
  const size = sizeOf(shape)
  const each = <T>(make: () => T) => Array.from({ length: shape.members }, make)
  return { information: each(() => new Float32Array(packed(size, 0))), target: each(() => new Float32Array(size)) }
}

/** One observation, in the units of the networks. */
export interface SurrogateRow {
  readonly context: ArrayLike<number>
  readonly unit: ArrayLike<number>
  readonly value: number
  /** One for each member. */
  readonly weights: ArrayLike<number>
  /** At most 1: what was there before is discounted by it. */
  readonly decay: number
}

/** The networks of a shape: the same shape, seed included, is always the same networks. */
export class Surrogate {
  readonly shape: SurrogateShape
  private readonly layers: readonly Hidden[]
  private readonly inverseVariances: Float64Array
  private readonly noiseVariance: number
  private readonly size: number
  /** A memory is never changed, so one solution serves proposal and learning alike. */
  private readonly fits = new WeakMap<SurrogateMemory, FittedSurrogate>()

  constructor (shape: SurrogateShape, prior: SurrogatePrior) {
    const { hidden, width, members } = shape
    this.shape = shape
    this.size = sizeOf(shape)
    this.noiseVariance = prior.noise ** 2
    const random = createRandom(shape.seed)
    this.layers = Array.from({ length: members }, () => drawHidden(shape, random))
    const specific = Math.ceil(hidden / 2)
    this.inverseVariances = Float64Array.from({ length: this.size }, (_, j) => {
      if (j < hidden) return j < specific ? specific / prior.specific ** 2 : (hidden - specific) / prior.shared ** 2
      if (j === hidden) return 1 / prior.level ** 2
      return 1 / (j <= hidden + width ? prior.slope : prior.contextSlope) ** 2
    })
  }

  /** The part of each hidden unit that does not depend on the configuration. */
  private fromContext (member: number, context: ArrayLike<number>): Float64Array {
    const { bias, context: weights } = this.layers[member]
    const width = context.length
    const base = Float64Array.from(bias)
    for (let j = 0; j < this.shape.hidden / 2; j++) {
      const row = j * width
      for (let i = 0; i < width; i++) base[j] += weights[row + i] * context[i]
    }
    return base
  }

  private features (member: number, { base, context }: { base: Float64Array, context: ArrayLike<number> }, unit: ArrayLike<number>, out: Float64Array): void {
    const { first, second, firstWeight, secondWeight } = this.layers[member]
    const { hidden, width } = this.shape
    for (let j = 0; j < hidden; j++) out[j] = bend(base[j] + firstWeight[j] * unit[first[j]] + secondWeight[j] * unit[second[j]])
    out[hidden] = 1
    for (let i = 0; i < width; i++) out[hidden + 1 + i] = unit[i] - 0.5
    for (let i = 0; i < context.length; i++) out[hidden + 1 + width + i] = context[i]
  }

  /** The memory with one more observation. */
  learn (memory: SurrogateMemory, row: SurrogateRow): SurrogateMemory {
    const { context, unit, value, weights, decay } = row
    const features = new Float64Array(this.size)
    const information: Float32Array[] = []
    const target: Float32Array[] = []
    for (let k = 0; k < this.shape.members; k++) {
      this.features(k, { base: this.fromContext(k, context), context }, unit, features)
      const matrix = Float32Array.from(memory.information[k])
      const side = Float32Array.from(memory.target[k])
      for (let i = 0, at = 0; i < this.size; i++) {
        const scaled = features[i] * weights[k]
        for (let j = 0; j <= i; j++, at++) matrix[at] = matrix[at] * decay + scaled * features[j]
        side[i] = side[i] * decay + scaled * value
      }
      information.push(matrix)
      target.push(side)
    }
    return { information, target }
  }

  /** Solves for the output weights; what comes back answers questions until more is learned. */
  fit (memory: SurrogateMemory): FittedSurrogate {
    const known = this.fits.get(memory)
    if (known !== undefined) return known
    const fitted = new FittedSurrogate(this, memory.information.map((matrix, k) => this.solve(matrix, memory.target[k])))
    this.fits.set(memory, fitted)
    return fitted
  }

  /** The ensemble's mean for one configuration in one context. */
  value (solved: readonly Solved[], context: ArrayLike<number>, unit: ArrayLike<number>): number {
    const features = new Float64Array(this.size)
    let sum = 0
    for (let k = 0; k < solved.length; k++) {
      this.features(k, { base: this.fromContext(k, context), context }, unit, features)
      const { mean } = solved[k]
      for (let i = 0; i < mean.length; i++) sum += features[i] * mean[i]
    }
    return sum / solved.length
  }

  /** Cholesky's factor of the posterior's precision, and the posterior mean. */
  private solve (information: Float32Array, target: Float32Array): Solved {
    const { size, noiseVariance, inverseVariances } = this
    const factor = new Float64Array(information.length)
    const mean = new Float64Array(size)
    for (let i = 0; i < size; i++) {
      const row = packed(i, 0)
      let right = target[i] / noiseVariance
      for (let j = 0; j <= i; j++) {
        const other = packed(j, 0)
        let sum = information[row + j] / noiseVariance
        for (let k = 0; k < j; k++) sum -= factor[row + k] * factor[other + k]
        if (i === j) factor[row + i] = Math.sqrt(Math.max(sum + inverseVariances[i], 1e-12))
        else factor[row + j] = sum / factor[other + j]
      }
      for (let k = 0; k < i; k++) right -= factor[row + k] * mean[k]
      mean[i] = right / factor[row + i]
    }
    return { mean: this.backward(factor, mean), factor }
  }

  /** Solves Lᵀ x = b in place. */
  private backward (factor: Float64Array, x: Float64Array): Float64Array {
    for (let i = this.size - 1; i >= 0; i--) {
      const row = packed(i, 0)
      const value = x[i] / factor[row + i]
      x[i] = value
      for (let k = 0; k < i; k++) x[k] -= factor[row + k] * value
    }
    return x
  }

  /** A function drawn from one member's posterior, as output weights (Thompson 1933). */
  draw ({ mean, factor }: Solved, random: Random): Float64Array {
    const noise = this.backward(factor, Float64Array.from(mean, () => normal(random)))
    return noise.map((value, i) => value + mean[i])
  }

  /** Answers in one context, about configurations compared with `reference`. */
  inContext (solved: readonly Solved[], context: ArrayLike<number>, reference: ArrayLike<number>): ContextualSurrogate {
    const inputs = solved.map((_, k) => ({ base: this.fromContext(k, context), context }))
    const size = this.size
    const features = new Float64Array(size)
    const scratch = new Float64Array(size)
    const references = inputs.map((input, k) => {
      const out = new Float64Array(size)
      this.features(k, input, reference, out)
      return out
    })
    const dot = (weights: Float64Array, k: number, unit: ArrayLike<number>, from: Float64Array | null) => {
      this.features(k, inputs[k], unit, features)
      let sum = 0
      for (let i = 0; i < size; i++) {
        if (from !== null) features[i] -= from[i]
        sum += features[i] * weights[i]
      }
      return sum
    }
    /** Posterior variance of the difference whose features were computed last. */
    const variance = (factor: Float64Array) => {
      let sum = 0
      for (let i = 0; i < size; i++) {
        const row = packed(i, 0)
        let value = features[i]
        for (let k = 0; k < i; k++) value -= factor[row + k] * scratch[k]
        value /= factor[row + i]
        scratch[i] = value
        sum += value * value
      }
      return sum
    }
    const meanOf = (unit: ArrayLike<number>, relative: boolean) => {
      let sum = 0
      for (let k = 0; k < solved.length; k++) sum += dot(solved[k].mean, k, unit, relative ? references[k] : null)
      return sum / solved.length
    }
    return {
      value: unit => meanOf(unit, false),
      meanGain: unit => meanOf(unit, true),
      gain: unit => {
        let sum = 0
        let squares = 0
        let spread = 0
        for (let k = 0; k < solved.length; k++) {
          const gain = dot(solved[k].mean, k, unit, references[k])
          if (k === 0) spread = variance(solved[0].factor)
          sum += gain
          squares += gain * gain
        }
        const mean = sum / solved.length
        return { mean, deviation: Math.sqrt(spread + Math.max(0, squares / solved.length - mean * mean)) }
      },
      valueDeviation: unit => {
        dot(solved[0].mean, 0, unit, null)
        return Math.sqrt(variance(solved[0].factor))
      },
      draw: random => {
        const k = Math.floor(random() * solved.length)
        const weights = this.draw(solved[k], random)
        return unit => dot(weights, k, unit, references[k])
      }
    }
  }
}

/** Every answer is in units of utility; gains are relative to the reference configuration, in the same context. */
export interface ContextualSurrogate {
  value (unit: ArrayLike<number>): number
  valueDeviation (unit: ArrayLike<number>): number
  meanGain (unit: ArrayLike<number>): number
  gain (unit: ArrayLike<number>): GainEstimate
  /** One plausible truth: a function that gives the gain of a configuration. */
  draw (random: Random): (unit: ArrayLike<number>) => number
}

export class FittedSurrogate {
  private readonly surrogate: Surrogate
  private readonly solved: readonly Solved[]

  constructor (surrogate: Surrogate, solved: readonly Solved[]) {
    this.surrogate = surrogate
    this.solved = solved
  }

  value (context: ArrayLike<number>, unit: ArrayLike<number>): number {
    return this.surrogate.value(this.solved, context, unit)
  }

  inContext (context: ArrayLike<number>, reference: ArrayLike<number>): ContextualSurrogate {
    return this.surrogate.inContext(this.solved, context, reference)
  }
}
