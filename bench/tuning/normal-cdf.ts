/** Coefficients, highest power first, of S. L. Moshier's Cephes `ndtr.c` (erf and erfc; the same that scipy uses). */
const P = [2.461969814735305e-10, 0.5641895648310689, 7.463210564422699, 48.63719709856814, 196.5208329560771,
  526.4451949954773, 934.5285271719576, 1027.5518868951572, 557.5353353693994]
const Q = [1, 13.228195115474499, 86.70721408859897, 354.9377788878199, 975.7085017432055, 1823.9091668790973,
  2246.3376081871097, 1656.6630919416134, 557.5353408177277]
const T = [9.604973739870516, 90.02601972038427, 2232.005345946843, 7003.325141128051, 55592.30130103949]
const U = [1, 33.56171416475031, 521.3579497801527, 4594.323829709801, 22629.000061389095, 49267.39426086359]

function polynomial (x: number, coefficients: readonly number[]): number {
  let value = 0
  for (const coefficient of coefficients) value = value * x + coefficient
  return value
}

/** The normal distribution function, to about 1e-15 where it is above 1e-15. */
export function normalCdf (x: number): number {
  const y = x * Math.SQRT1_2
  const size = Math.abs(y)
  if (size < 1) return 0.5 + 0.5 * y * polynomial(y * y, T) / polynomial(y * y, U)
  // Beyond 8 the tail is below 1e-29.
  const tail = size > 8 ? 0 : 0.5 * Math.exp(-size * size) * polynomial(size, P) / polynomial(size, Q)
  return y > 0 ? 1 - tail : tail
}
