import { normal, type Random } from '../ml/random.ts'
import { clip, type ParameterSpace } from './parameters.ts'

export interface Region {
  /** Where candidates are drawn around. */
  readonly center: readonly number[]
  /** Standard deviation of a step in one coordinate. */
  readonly radius: number
  /** Other configurations that did well, to cross with. */
  readonly others: readonly (readonly number[])[]
  readonly defaults: readonly number[]
  /** For each coordinate how often it jumps anywhere when it is moved alone. */
  readonly jumps: readonly number[]
}

/** Without jumps a flat stretch would never be crossed: a timeout does nothing from 5 s down to 200 ms. Where a load is carried a jump is a fall. */
const jumpShare = 0.35
const jumpShareOfCarriers = 0.05

export function jumpShares ({ parameters, offsets }: ParameterSpace): number[] {
  return parameters.flatMap(({ role }, p) => {
    const share = role === undefined || role === 'timeout' ? jumpShare : jumpShareOfCarriers
    return Array.from({ length: offsets[p + 1] - offsets[p] }, () => share)
  })
}

/** One coordinate moved, half as far again as the region; now and then anywhere, or a flat stretch would never be crossed. */
function moveOne ({ center, radius, jumps }: Region, random: Random): number[] {
  const unit = [...center]
  const i = Math.floor(random() * unit.length)
  unit[i] = random() < jumps[i] ? random() : clip(unit[i] + 1.5 * radius * normal(random))
  return unit
}

/** About half of the coordinates moved; of many, about four. */
function moveSome ({ center, radius }: Region, random: Random): number[] {
  const share = Math.min(0.5, 4 / center.length)
  return center.map(value => random() < share ? clip(value + radius * normal(random)) : value)
}

/** Each coordinate from the centre or from another configuration: the defaults, or one that did well. */
function cross ({ center, others, defaults }: Region, random: Random): number[] {
  const other = others.length === 0 || random() < 0.5 ? defaults : others[Math.floor(random() * others.length)]
  return center.map((value, i) => random() < 0.5 ? value : other[i])
}

/** Configurations worth asking the surrogate about. */
export function drawCandidates (region: Region, count: number, random: Random): number[][] {
  return Array.from({ length: count }, () => {
    const kind = random()
    return kind < 0.2 ? cross(region, random) : kind < 0.55 ? moveOne(region, random) : moveSome(region, random)
  })
}
