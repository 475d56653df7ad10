/** Uniform in [0, 1), with 32 random bits. */
export type Random = () => number

/**
 * The seeded generator behind everything here that draws lots: sfc32, its state filled from the seed by splitmix32.
 *
 * @param seed any number; its integer part modulo 2³² counts.
 * @see Doty-Humphrey, PractRand 0.94, sfc32; Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
 */
export function createRandom (seed: number): Random {
  let mixed = seed | 0
  const mix = () => {
    mixed = (mixed + 0x9e3779b9) | 0
    let z = mixed ^ (mixed >>> 16)
    z = Math.imul(z, 0x21f0aaad)
    z ^= z >>> 15
    z = Math.imul(z, 0x735a2d97)
    return z ^ (z >>> 15)
  }
  let a = mix()
  let b = mix()
  let c = mix()
  let counter = 1
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum | 0
    return (sum >>> 0) / 4294967296
  }
  // The author's advice: the first dozen outputs still show the seed.
  for (let i = 0; i < 12; i++) next()
  return next
}

/** A seed for something that must not share the caller's stream (one tree, one worker). */
export function drawSeed (random: Random): number {
  return Math.floor(random() * 4294967296)
}

/** One number of a stream that has a seed for each place: uniform in [0, 1), as splitmix32 mixes it. */
export function randomAt (place: number): number {
  let z = (place * 0x9e3779b9) | 0
  z ^= z >>> 16
  z = Math.imul(z, 0x21f0aaad)
  z ^= z >>> 15
  z = Math.imul(z, 0x735a2d97)
  return ((z ^ (z >>> 15)) >>> 0) / 4294967296
}

/** A standard normal value (Box and Muller 1958); draws twice. */
export function normal (random: Random): number {
  // 1 − u lies in (0, 1], where the logarithm is finite.
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Shuffles so that the first `count` items are a uniform draw without replacement (Fisher and Yates); all by default. */
export function shuffle<T extends { [index: number]: number, length: number }> (items: T, random: Random, count = items.length): T {
  for (let i = 0; i < Math.min(count, items.length - 1); i++) {
    const j = i + Math.floor(random() * (items.length - i))
    const held = items[i]
    items[i] = items[j]
    items[j] = held
  }
  return items
}

/** `count` different numbers from 0 to `below` − 1, every choice as likely (Floyd's algorithm). */
export function drawDistinct (random: Random, count: number, below: number): Int32Array {
  const drawn = new Set<number>()
  for (let last = below - count; last < below; last++) {
    const candidate = Math.floor(random() * (last + 1))
    drawn.add(drawn.has(candidate) ? last : candidate)
  }
  return Int32Array.from(drawn)
}
