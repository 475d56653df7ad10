import { describe, expect, it } from 'vitest'
import { catchUp } from '../../src/dashboard/catch-up.ts'

/** A number that is read from elsewhere when it is let go. */
function counted () {
  let shown = 0
  const waiting: (() => void)[] = []
  const { read, tell } = catchUp<number>(() => new Promise((resolve) => {
    waiting.push(() => {
      shown = 1
      resolve()
    })
  }), (value) => { shown = value })
  return { read, tell, shown: () => shown, letGo: () => waiting.shift()!() }
}

describe('catching up', () => {
  it('shows at once what happens', () => {
    const { tell, shown } = counted()
    tell(5)
    expect(shown()).toBe(5)
  })

  it('does not lose to an older state what happened while it was read', async () => {
    const { read, tell, shown, letGo } = counted()
    const reading = read()
    tell(7)
    expect(shown()).toBe(7)
    letGo()
    await reading
    expect(shown()).toBe(7)
  })

  it('remembers it until the last of several readings has ended', async () => {
    const { read, tell, shown, letGo } = counted()
    const first = read()
    tell(7)
    const second = read()
    letGo()
    await first
    letGo()
    await second
    expect(shown()).toBe(7)
  })

  it('tells nothing twice that happened between two readings', async () => {
    const { read, tell, shown, letGo } = counted()
    tell(7)
    const reading = read()
    letGo()
    await reading
    expect(shown()).toBe(1)
  })
})
