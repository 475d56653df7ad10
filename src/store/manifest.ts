import { Type, type Static } from 'typebox'
import { compileCheck } from '../schema-check.ts'

/** Names and versions are folders, so they hold nothing that a path could be made of. */
export const modelNamePattern = '^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$'
const pathSafe = (title: string) => Type.String({ pattern: modelNamePattern, title: `${title}: letters, digits and . _ - inside, at most 64` })

/** What lies beside every model file as `manifest.json`. */
export const manifestSchema = Type.Object({
  name: pathSafe('the name of the model'),
  version: pathSafe('its version'),
  kind: Type.String({ minLength: 1, maxLength: 64, description: 'As in the model file.' }),
  variant: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'Of the kind, as in the model file: axis, range-proportional or extended for an isolation forest.' })),
  features: Type.Array(Type.String({ minLength: 1 }), { description: 'What the model is fed, in order.' }),
  trainedAt: Type.String({ format: 'date-time' }),
  rows: Type.Integer({ minimum: 0, description: 'Rows that it was trained on.' }),
  range: Type.Union([
    Type.Object({ from: Type.String({ format: 'date-time' }), to: Type.String({ format: 'date-time' }) }, { additionalProperties: false }),
    Type.Null()
  ], { description: 'Time that the training rows span; null where rows have no time.' }),
  seed: Type.Integer({ minimum: 0 }),
  metrics: Type.Record(Type.String(), Type.Number(), { description: 'On rows held out from training, beside those of a naive baseline.' }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$', title: 'the SHA-256 of the model file in hexadecimal' }),
  file: pathSafe('the name of the model file')
}, { additionalProperties: true, title: 'a manifest' })
export type Manifest = Static<typeof manifestSchema>

export const checkManifest = compileCheck(manifestSchema)

/** Numbers inside versions compare as numbers: 1.10.0 is newer than 1.9.2, and 2024-10-01 than 2024-9-30. */
export function compareVersions (a: string, b: string): number {
  const [partsA, partsB] = [a, b].map((version) => version.split(/[._-]/))
  for (let i = 0; i < Math.max(partsA.length, partsB.length); i++) {
    const order = comparePart(partsA[i] ?? '', partsB[i] ?? '')
    if (order !== 0) return order
  }
  return 0
}

function comparePart (a: string, b: string): number {
  const [numberA, numberB] = [a, b].map((part) => /^\d+$/.test(part) ? Number(part) : null)
  if (numberA !== null && numberB !== null) return numberA - numberB
  return a === b ? 0 : a < b ? -1 : 1
}
