const eulerGamma = 0.5772156649015329

/**
 * Average path length of an unsuccessful search in a binary search tree of `n` rows: what is left below a leaf that holds `n`.
 *
 * @see Liu, Ting and Zhou, "Isolation Forest", ICDM 2008, equation 1.
 */
export function averagePathLength (n: number): number {
  if (n <= 1) return 0
  if (n === 2) return 1
  return 2 * (Math.log(n - 1) + eulerGamma) - 2 * (n - 1) / n
}
