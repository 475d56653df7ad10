import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { canonicalJson } from './chain.ts'

/** What the newest decision of every service was at one time; whoever keeps it can tell later whether the past was rewritten. */
export interface Checkpoint {
  readonly version: 1
  /** Epoch ms. */
  readonly at: number
  readonly services: readonly { readonly service: string, readonly asOf: number, readonly hash: string }[]
  /** ed25519, SubjectPublicKeyInfo in base64. */
  readonly publicKey: string
  /** Over the canonical JSON of all the rest, in base64. */
  readonly signature: string
}

export function signCheckpoint ({ at, services }: Pick<Checkpoint, 'at' | 'services'>, { privateKey, publicKey }: { privateKey: KeyObject, publicKey: KeyObject }): Checkpoint {
  const content = { version: 1 as const, at, services, publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') }
  return { ...content, signature: sign(null, Buffer.from(canonicalJson(content)), privateKey).toString('base64') }
}

/** True when the holder of the key that it names has signed it as it is. Whose key that is, the reader has to know. */
export function isSigned ({ signature, ...content }: Checkpoint): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(content.publicKey, 'base64'), type: 'spki', format: 'der' })
    return key.asymmetricKeyType === 'ed25519' && verify(null, Buffer.from(canonicalJson(content)), key, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}
