/** Within so long a feedback is learned from, unless the queue is long. */
const patienceMs = 2_000
const pollMs = 5
const mostServices = 10_000

/**
 * Who reports a result and asks at once for the next suggestion is to be answered with what the result has taught: the question waits for a
 * moment until the worker has taken in what came here before it.
 *
 * @param knows which of these feedbacks a service has learned from.
 */
export function createSettling (knows: (service: string, ids: readonly string[]) => Promise<ReadonlySet<string>>) {
  const newest = new Map<string, string>()

  const note = (service: string, id: string) => {
    newest.delete(service)
    newest.set(service, id)
    if (newest.size > mostServices) newest.delete(newest.keys().next().value!)
  }

  const settled = async (service: string): Promise<void> => {
    const id = newest.get(service)
    if (id === undefined) return
    const until = performance.now() + patienceMs
    while (!(await knows(service, [id])).has(id) && performance.now() < until) await new Promise(resolve => setTimeout(resolve, pollMs))
    if (newest.get(service) === id) newest.delete(service)
  }

  return { note, settled }
}
export type Settling = ReturnType<typeof createSettling>
