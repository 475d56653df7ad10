import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PrescaleError } from '../errors.ts'

const fileName = 'audit-key.pem'

export interface SigningKey { readonly privateKey: KeyObject, readonly publicKey: KeyObject }

/**
 * The ed25519 key with which checkpoints are signed. It is made when it is first asked for, and only its owner can read it.
 *
 * @throws PrescaleError 'not-ready' when the folder cannot be written to, or holds something else.
 */
export function openSigningKey (directory: string): SigningKey {
  const path = join(directory, fileName)
  try {
    const privateKey = createPrivateKey(readOrCreate(directory, path))
    return { privateKey, publicKey: createPublicKey(privateKey) }
  } catch (error) {
    throw new PrescaleError('not-ready', `The key ${path} can be neither read nor made: ${(error as Error).message}.`, { cause: error })
  }
}

function readOrCreate (directory: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  mkdirSync(directory, { recursive: true })
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  try {
    writeFileSync(path, pem, { mode: 0o600, flag: 'wx' })
    return pem
  } catch (error) {
    // Another process on the same folder was quicker.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return readFileSync(path, 'utf8')
    throw error
  }
}
