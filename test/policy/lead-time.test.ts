import { describe, expect, it } from 'vitest'
import { emptyLeadTime, expectReady, leadSeconds, observeReady, type LeadTime } from '../../src/policy/lead-time.ts'

const second = 1000

/** A wish for ten instead of one at `at`, met `seconds` later. */
const scaleOut = (leadTime: LeadTime, at: number, seconds: number) =>
  observeReady(expectReady(leadTime, { at: at * second, from: 1, to: 10 }), (at + seconds) * second, 10)

describe('the lead time', () => {
  it('is what is configured, whatever was observed', () => {
    expect(leadSeconds(scaleOut(emptyLeadTime, 0, 500), 60)).toBe(60)
  })

  it('is two minutes until three scale-outs were seen', () => {
    expect(leadSeconds(scaleOut(scaleOut(emptyLeadTime, 0, 30), 100, 30), 'auto')).toBe(120)
  })

  it('is a long one of those observed, not the mean', () => {
    const durations = [30, 40, 50, 35, 45, 30, 300, 40, 90, 50]
    const leadTime = durations.reduce((learned, seconds, i) => scaleOut(learned, i * 1000, seconds), emptyLeadTime)

    // ninth of ten in ascending order: one outlier does not rule
    expect(leadSeconds(leadTime, 'auto')).toBe(90)
  })

  it('remembers the newest twenty', () => {
    let leadTime = emptyLeadTime
    for (let i = 0; i < 50; i++) leadTime = scaleOut(leadTime, i * 1000, i < 30 ? 500 : 60)

    expect(leadTime.observedSeconds).toHaveLength(20)
    expect(leadSeconds(leadTime, 'auto')).toBe(60)
  })

  it('waits until all of a wish is ready', () => {
    const waiting = expectReady(emptyLeadTime, { at: 0, from: 1, to: 10 })

    expect(observeReady(waiting, 60 * second, 9)).toBe(waiting)
    expect(observeReady(waiting, 90 * second, 11).observedSeconds).toEqual([90])
  })

  it('measures nothing when the wish was withdrawn, never met or nobody reports', () => {
    const waiting = expectReady(emptyLeadTime, { at: 0, from: 1, to: 10 })

    expect(expectReady(waiting, { at: 60 * second, from: 10, to: 5 }).pending).toBeNull()
    expect(observeReady(waiting, 3601 * second, 10)).toEqual(emptyLeadTime)
    expect(observeReady(waiting, 60 * second, null)).toBe(waiting)
  })
})
