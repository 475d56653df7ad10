import { describe, expect, it } from 'vitest'
import type { Incident, IncidentRemark } from '../../src/domain.ts'
import { expectations, mostRemembered, remark, thresholdFactor } from '../../src/policy/incident-feedback.ts'
import { emptyIncidentState, type IncidentState } from '../../src/policy/incident.ts'
import { errors, follow, incidentOf, verdictOf } from '../support/incidents.ts'

const minute = 60_000
const said = (incident: Incident, verdict: IncidentRemark['verdict'], at = 1): IncidentRemark => ({ incident: incident.id, verdict, at, by: 'ann' })
const remarks = (...verdicts: ('normal' | 'real')[]) => verdicts.reduce<IncidentState>((state, verdict, i) => {
  const incident = incidentOf({ startedAt: (i + 1) * minute })
  return remark(state, incident, said(incident, verdict)).state
}, emptyIncidentState)

describe('a remark about an incident', () => {
  const { state, newest } = follow([verdictOf(minute, 'high')])

  it('shows in the incident, also while it is open, and is a change that is told', () => {
    const after = remark(state, newest!, { ...said(newest!, 'normal', 7), note: 'import' })
    expect(after.incident).toMatchObject({ id: newest!.id, revision: 2, feedback: { verdict: 'normal', at: 7, by: 'ann', note: 'import' } })
    expect(after.state.newest).toEqual(after.incident)
  })

  it('on an older one leaves the newest as it is', () => {
    const older = incidentOf({ startedAt: 1 })
    expect(remark(state, older, said(older, 'real')).state.newest).toBe(newest)
  })

  it('"normal" expects what the incident has shown: the signal, the way, and how far from the middle', () => {
    // 0.2, where 0 to 0.01 is usual: 0.195 above the middle.
    expect(expectations(remark(state, newest!, said(newest!, 'normal')).state)).toEqual([{ signal: 'errorRatio', direction: 'up', size: 0.195 }])
    expect(expectations(remark(state, newest!, said(newest!, 'real')).state)).toEqual([])
  })

  it('expects of signals that only moved along nothing', () => {
    const incident = follow([verdictOf(minute, 'high', { causes: [{ ...errors, share: 0.95 }, { ...errors, signal: 'threadCount', share: 0.05 }] })]).newest!
    expect(expectations(remark(state, incident, said(incident, 'normal')).state).map(({ signal }) => signal)).toEqual(['errorRatio'])
  })

  it('takes the place of the one before, and can be taken back', () => {
    const normal = remark(state, newest!, said(newest!, 'normal'))
    const real = remark(normal.state, normal.incident, said(newest!, 'real'))
    expect([expectations(real.state), thresholdFactor(real.state)]).toEqual([[], 0.95])
    const nothing = remark(real.state, real.incident, said(newest!, null))
    expect([nothing.incident.feedback, expectations(nothing.state), thresholdFactor(nothing.state)]).toEqual([null, [], 1])
  })
})

describe('the threshold', () => {
  it('rises with each incident that was normal and falls with each real one', () => {
    expect(thresholdFactor(emptyIncidentState)).toBe(1)
    expect(thresholdFactor(remarks('normal', 'normal'))).toBeCloseTo(1.05 ** 2)
    expect(thresholdFactor(remarks('normal', 'real'))).toBeCloseTo(1.05 * 0.95)
  })

  it('stays within three quarters and one and a half', () => {
    expect(thresholdFactor(remarks(...Array<'normal'>(20).fill('normal')))).toBe(1.5)
    expect(thresholdFactor(remarks(...Array<'real'>(20).fill('real')))).toBe(0.75)
  })
})

it('however much is said, so much is remembered, the newest', () => {
  const { remembered } = remarks(...Array<'normal'>(60).fill('normal'))
  expect(remembered).toHaveLength(mostRemembered)
  expect(remembered!.at(-1)!.incident).toBe(`shop.${60 * minute}`)
})
