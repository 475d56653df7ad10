/** All loads that have passed, twelve bytes each, with their times. */
export function createPastLoads (stepMs: number) {
  let times = new Float64Array(4096)
  let loads = new Float32Array(4096)
  let size = 0

  /** @param at epoch ms, ascending. */
  function add (at: number, load: number): void {
    if (size === times.length) {
      times = grown(times, new Float64Array(2 * size))
      loads = grown(loads, new Float32Array(2 * size))
    }
    times[size] = at
    loads[size++] = load
  }

  function forEach (take: (at: number, load: number) => void): void {
    for (let i = 0; i < size; i++) take(times[i], loads[i])
  }

  /** One for each of at most so many steps up to the newest load; NaN for a gap. */
  function newest (mostSteps: number): Float64Array {
    if (size === 0) return new Float64Array(0)
    const place = (i: number) => Math.round((times[size - 1] - times[i]) / stepMs)
    const steps = Math.min(mostSteps, place(0) + 1)
    const grid = new Float64Array(steps).fill(NaN)
    for (let i = size - 1; i >= 0 && place(i) < steps; i--) grid[steps - 1 - place(i)] = loads[i]
    return grid
  }

  return { add, forEach, newest }
}

function grown<T extends Float64Array | Float32Array> (from: T, to: T): T {
  to.set(from)
  return to
}
