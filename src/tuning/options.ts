export interface TunerOptions {
  /** Utility of the best imaginable service minus that of the worst; 100 for the preset objective. */
  readonly utilityRange: number
  /** Share of proposals that may try something; 0 proposes only what is known to be good. */
  readonly explorationShare: number
  /** A proposal's lower bound may lie this much of the range below the prediction for the defaults. */
  readonly safetyMargin: number
  /** Signals beyond the catalogue that say what the service is asked to do. */
  readonly furtherSignals: readonly string[]
}
export const tunerDefaults: TunerOptions = { utilityRange: 100, explorationShare: 0.7, safetyMargin: 0.04, furtherSignals: [] }
