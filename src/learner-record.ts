import type { LocalResult, LocalTask } from './learning/train-local.ts'
import { compressed, hashOf, type LearningRecord, type LocalModel } from './store/local-model-store.ts'

export type Learned = Extract<LocalResult, { status: 'learned' }>

/** The record after one more attempt. */
export function recordAfter (before: LearningRecord | null, { service, at, nextAt, outcome }:
{ service: string, at: number, nextAt: number, outcome: string }): LearningRecord {
  return { format: 1, service, learned: before?.learned ?? 0, triedAt: at, nextAt, outcome, models: before?.models ?? [] }
}

const percentOf = (own: number, other: number) => `${Math.round(100 * Math.abs(1 - own / other))} % ${own <= other ? 'below' : 'above'}`

/** What came of it, in a sentence. */
export function outcomeOf (result: LocalResult, { version, rival, loads }: LocalTask): string {
  if (result.status === 'too-little') return `${result.forecasts} forecasts on loads that ${rival.version} has not seen are too few to compare on.`
  const { forecasts, loss, rivalLoss } = result.heldBack
  const what = `on ${forecasts} forecasts that neither had seen, its loss was ${percentOf(loss, rivalLoss)} that of ${rival.version}`
  return result.status === 'learned' ? `${version} was learned from ${loads.length} steps: ${what}.` : `A model of its own would not be better: ${what}.`
}

/** What is to be known of a model that was learned. */
export async function describeModel ({ version, seed, horizonSteps, startAt, stepSeconds, loads, rival }: LocalTask,
  { bytes, rows, heldBack }: Learned, at: number): Promise<LocalModel> {
  return {
    version,
    kind: 'load-forecaster',
    trainedAt: at,
    rows,
    range: { from: startAt - stepSeconds * 1000, to: startAt + (loads.length - 1) * stepSeconds * 1000 },
    seed,
    horizonSteps,
    heldBack: { ...heldBack, rival: rival.version },
    sha256: hashOf(bytes),
    bytes: bytes.length,
    storedBytes: (await compressed(bytes)).length
  }
}
