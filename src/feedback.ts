import type { Tuner } from './policy/tuner.ts'
import type { ConfigModel } from './policy/suggest.ts'
import { openTuningRecord } from './policy/tuning-record.ts'
import type { LearnInput, Learned } from './process-envelope.ts'

let tuner: Promise<Tuner> | undefined

/** Learns from feedback; TensorFlow is loaded when the first one arrives, and not before. */
export async function learnFromFeedback ({ service, network, state, feedback, models }: LearnInput): Promise<Learned> {
  tuner ??= import('./policy/tuner.ts').then(({ createTuner }) => createTuner())
  const learned = await (await tuner).learn({ service, network, state: state.tuning, feedback, model: models.config })
  return { network: learned.network, state: { ...state, tuning: learned.state }, suggestion: learned.suggestion, ignored: learned.ignored }
}

/** What a service taught; the shared network as long as that can not be read, for instance by a later release. */
export function openNetwork (network: Uint8Array, shared: ConfigModel | null): ConfigModel | null {
  try {
    return openTuningRecord(network)
  } catch {
    return shared
  }
}
