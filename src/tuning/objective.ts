import { signalCatalogue, type Signals, type TuningObjective } from '../domain.ts'
import { parseExpression, type Expression } from './expression.ts'

const expressions = new Map<string, Expression>()
const mostKept = 256

/** @throws PrescaleError 'invalid-config'. */
function expressionOf (text: string): Expression {
  let known = expressions.get(text)
  if (known === undefined) {
    known = parseExpression(text)
    if (expressions.size >= mostKept) expressions.clear()
    expressions.set(text, known)
  }
  return known
}

const errorPenalty = 3

/**
 * How well a service does by its signals; higher is better.
 *
 * The preset is 0 to 100: 100 · (1 − errors)³ · reached throughput / (1 + (response time / asked)²), less the weight of resources times the mean of
 * CPU and memory usage. At the response time that is asked for it is 50.
 *
 * @returns NaN where a signal is missing that it needs, and for `reported`.
 */
export function performanceOf (objective: TuningObjective, signals: Signals): number {
  if (objective.kind === 'reported') return NaN
  if (objective.kind === 'expression') return expressionOf(objective.expression).evaluate(signals)
  const { responseTimeSeconds, requestsPerSecond, resourceWeight } = objective
  const served = (1 - Math.min(1, Math.max(0, signals.errorRatio ?? 0))) ** errorPenalty
  const reached = requestsPerSecond === null ? 1 : Math.min(1, Math.max(0, signals.requestsPerSecond / requestsPerSecond))
  const usages = [signals.cpuUsageRatio, signals.memoryUsageRatio].filter(Number.isFinite)
  const usage = usages.length === 0 ? 0 : usages.reduce((sum, value) => sum + value, 0) / usages.length
  return 100 * served * reached / (1 + (signals.responseTimeSeconds / responseTimeSeconds) ** 2) - resourceWeight * usage
}

/** The signals that an objective reads. */
export function signalsOf (objective: TuningObjective): readonly string[] {
  return objective.kind === 'expression' ? expressionOf(objective.expression).names : signalCatalogue
}
