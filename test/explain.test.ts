import { describe, expect, it } from 'vitest'
import { explain } from '../src/explain.ts'
import { decisionOf } from './api/support.ts'

describe('the story of a decision', () => {
  it('names load, expectation, the rule that was followed, the others, and each adjustment in order', () => {
    const story = explain(decisionOf('shop', {
      asOf: Date.UTC(2026, 10, 20, 12),
      replicas: 16,
      rawRecommendations: [{ source: 'forecast', replicas: 14, reason: '14 replicas carry it' }, { source: 'reactive', replicas: 12, reason: 'present load 800: 12 replicas' }],
      adjustments: [
        { stage: 'stabilize', from: 14, to: 18, reason: 'ScaleDownStabilized: the highest recommendation of the last 300 s' },
        { stage: 'range', from: 18, to: 16, reason: 'TooManyReplicas: ScalingLimited, 2 more are wanted' }
      ]
    }))
    expect(story).toEqual([
      'On the sample of 2026-11-20T12:00:00.000Z, shop was to have 16 replicas, up from 12.',
      // 800 / 70 = 11.43
      'The load was 800, and one replica carries 70 at the target utilisation: 11.43 replicas\' worth.',
      'Within 180 s its largest value was expected to be 850, and to stay below 980 with probability 0.95 (forecast 1).',
      'The forecast rule was followed: 14 replicas carry it.',
      'The reactive rule would have said: present load 800: 12 replicas.',
      'Then stabilize made 14 into 18: ScaleDownStabilized: the highest recommendation of the last 300 s.',
      'Then range made 18 into 16: TooManyReplicas: ScalingLimited, 2 more are wanted.',
      'What weighs most in the forecast: lag1 (0.1).'
    ])
  })

  it('says what was not known', () => {
    const story = explain(decisionOf('shop', { load: null, capacity: null, forecast: null, replicas: 12, missingSignals: ['requestsPerSecond'], demo: true }))
    expect(story.join(' ')).toContain('shop (demonstration) was to have 12 replicas, as many as there were. No load was known. There was no forecast.')
    expect(story.at(-1)).toBe('These signals were missing: requestsPerSecond.')
  })
})
