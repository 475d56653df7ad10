import { PrescaleError } from '../../errors.ts'
import type { Labels } from '../series.ts'

/** One requirement; `values` are those that are allowed, or with `negative` those that are not. */
interface Requirement { readonly label: string, readonly values: readonly string[] | 'any', readonly negative: boolean }
export type LabelSelector = readonly Requirement[]

const key = '([A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?)'
const value = '[A-Za-z0-9._-]*'
const forms: readonly (readonly [RegExp, (label: string, text: string) => Requirement])[] = [
  [new RegExp(`^${key}\\s*(?:==?)\\s*(${value})$`), (label, text) => ({ label, values: [text], negative: false })],
  [new RegExp(`^${key}\\s*!=\\s*(${value})$`), (label, text) => ({ label, values: [text], negative: true })],
  [new RegExp(`^${key}\\s+in\\s*\\((.*)\\)$`), (label, text) => ({ label, values: listOf(text), negative: false })],
  [new RegExp(`^${key}\\s+notin\\s*\\((.*)\\)$`), (label, text) => ({ label, values: listOf(text), negative: true })],
  [new RegExp(`^${key}$`), (label) => ({ label, values: 'any', negative: false })],
  [new RegExp(`^!\\s*${key}$`), (label) => ({ label, values: 'any', negative: true })]
]

/**
 * Parses `a=b,c in (d,e),!f`.
 *
 * @throws PrescaleError `invalid-request`.
 */
export function parseLabelSelector (text: string): LabelSelector {
  if (text.length > 4096) throw new PrescaleError('invalid-request', 'The label selector is longer than 4096 characters.')
  // Commas inside brackets belong to a list.
  return text.split(/,(?![^(]*\))/).map((part) => part.trim()).filter((part) => part !== '').map(parseRequirement)
}

function parseRequirement (part: string): Requirement {
  for (const [form, make] of forms) {
    const found = form.exec(part)
    if (found) return make(found[1], found[2] ?? '')
  }
  throw new PrescaleError('invalid-request', `unable to parse requirement: ${JSON.stringify(part)} is no part of a label selector such as service=shop`)
}

function listOf (text: string): string[] {
  return text.split(',').map((one) => one.trim())
}

export function selects (selector: LabelSelector, labels: Labels): boolean {
  return selector.every(({ label, values, negative }) => {
    const present = Object.hasOwn(labels, label)
    if (values === 'any') return present !== negative
    return (present && values.includes(labels[label])) !== negative
  })
}

/** The values to which a selector limits a label; null where it does not. */
export function allowedValues (selector: LabelSelector, label: string): readonly string[] | null {
  const found = selector.find((requirement) => requirement.label === label && requirement.values !== 'any' && !requirement.negative)
  return found ? found.values as readonly string[] : null
}
