import type { Parameter } from '../domain.ts'
import type { Observation } from './observations.ts'
import { decode, encode, type ParameterSpace } from './parameters.ts'

/**
 * Some parameters hold a service up until, all at once, they do not: with too few threads or too small a batch, cache or timeout a queue grows without
 * end. No model sees such an edge before it was crossed. So these parameters move by steps, each from a place that did well.
 */
interface Reach {
  /** A step at most multiplies by these. */
  readonly down: number
  readonly up: number
  /** The load that one unit carries decides: half the threads are enough for half the load. */
  readonly carriesLoad: boolean
}
/** Found on the simulated service of bench/tuning; from 4 a batch may go to 3, and on to 2 where the load is a little below what 3 carried. */
const reaches: Readonly<Partial<Record<NonNullable<Parameter['role']>, Reach>>> = {
  threads: { down: 0.5, up: 2, carriesLoad: true },
  batch: { down: 0.7, up: 1.6, carriesLoad: true },
  timeout: { down: 0.35, up: Infinity, carriesLoad: false },
  memory: { down: 0.25, up: Infinity, carriesLoad: false }
}

interface Edge extends Reach { readonly name: string, readonly coordinate: number, readonly isInteger: boolean }
interface Box { readonly low: readonly number[], readonly high: readonly number[] }

function edgesOf ({ parameters, offsets }: ParameterSpace): Edge[] {
  return parameters.flatMap(({ role, kind, name }, p) => {
    const reach = role && reaches[role]
    if (!reach || offsets[p] === offsets[p + 1] || (kind !== 'integer' && kind !== 'real')) return []
    return [{ ...reach, name, coordinate: offsets[p], isInteger: kind === 'integer' }]
  })
}

interface Proven {
  readonly defaults: readonly number[]
  /** What did well in this kind of work, at about this load or more. */
  readonly observations: readonly Observation[]
  /** The first context coordinate now: a logarithm. */
  readonly load: number
}

/** @returns the nearest point to a given one that lies at most one step from one that is proven, in every parameter that has an edge. */
export function createProvenGround (space: ParameterSpace, { defaults, observations, load }: Proven): (unit: readonly number[]) => readonly number[] {
  const edges = edgesOf(space)
  if (edges.length === 0) return unit => unit
  const boxAround = (unit: readonly number[], timesLoad: number): Box => {
    const config = decode(space, unit)
    const bound = (of: (edge: Edge, value: number) => number) => {
      const point = encode(space, { ...config, ...Object.fromEntries(edges.map(edge => [edge.name, of(edge, Number(config[edge.name]))])) })
      return edges.map(({ coordinate }) => point[coordinate])
    }
    return {
      low: bound(({ down, carriesLoad, isInteger }, value) => {
        const least = value * down * (carriesLoad ? timesLoad : 1)
        return Math.min(Math.max(timesLoad, 1) * value, isInteger ? Math.ceil(least - 1e-9) : least)
      }),
      high: bound(({ up, isInteger }, value) => Math.min(Number.MAX_VALUE, Math.max(value * up, isInteger ? value + 1 : value)))
    }
  }
  const boxes = [boxAround(defaults, 1), ...observations.map(({ unit, context }) => boxAround(unit, Math.exp(load - context[0])))]
  return unit => pullInto(nearestBox(boxes, edges, unit), edges, unit)
}

function nearestBox (boxes: readonly Box[], edges: readonly Edge[], unit: readonly number[]): Box {
  let least = Infinity
  let nearest = boxes[0]
  for (const box of boxes) {
    let outside = 0
    for (let i = 0; i < edges.length; i++) {
      const value = unit[edges[i].coordinate]
      outside += Math.max(0, box.low[i] - value, value - box.high[i])
    }
    if (outside >= least) continue
    least = outside
    nearest = box
    if (outside === 0) break
  }
  return nearest
}

function pullInto ({ low, high }: Box, edges: readonly Edge[], unit: readonly number[]): readonly number[] {
  const pulled = [...unit]
  edges.forEach(({ coordinate }, i) => { pulled[coordinate] = Math.min(high[i], Math.max(low[i], pulled[coordinate])) })
  return pulled
}
