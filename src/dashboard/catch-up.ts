/**
 * A state that is read anew from time to time, and told of what happens in between. What happens while it is read may be missing in what was read, and
 * would be overwritten by it: it is told once more afterwards. To tell something twice must do no harm.
 */
export function catchUp<Event> (readAll: () => Promise<void>, take: (event: Event) => void): { read: () => Promise<void>, tell: (event: Event) => void } {
  let readings = 0
  let meanwhile: Event[] = []
  const read = async () => {
    readings++
    try {
      await readAll()
    } finally {
      if (--readings === 0) {
        const missed = meanwhile
        meanwhile = []
        missed.forEach(take)
      }
    }
  }
  const tell = (event: Event) => {
    if (readings > 0) meanwhile.push(event)
    take(event)
  }
  return { read, tell }
}
