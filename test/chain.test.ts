import { generateKeyPairSync } from 'node:crypto'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, chained, verifyChain, type Link } from '../src/chain.ts'
import { isSigned, signCheckpoint } from '../src/checkpoint.ts'

describe('canonical JSON', () => {
  test('has its keys in order, no spaces, and nothing that is undefined', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: -0, u: undefined, é: true })).toBe('{"a":0,"b":[1,{"c":"x","d":null}],"é":true}')
  })

  test('is the same before and after a value was written as JSON and read', () => {
    fc.assert(fc.property(fc.anything({ withNullPrototype: true }), (value) => {
      const json = JSON.stringify(value)
      if (json !== undefined) expect(canonicalJson(JSON.parse(json))).toBe(canonicalJson(JSON.parse(JSON.stringify(JSON.parse(json)))))
    }), { numRuns: 300 })
    fc.assert(fc.property(fc.jsonValue(), (value) => canonicalJson(value) === canonicalJson(JSON.parse(JSON.stringify(value)))), { numRuns: 300 })
  })
})

type Record = Link & { readonly replicas: number }
function chainOf (length: number): Record[] {
  const links: Record[] = []
  for (let i = 0; i < length; i++) links.push(chained({ replicas: i }, links.at(-1)?.hash ?? null))
  return links
}

describe('a chain', () => {
  test('holds in each link the SHA-256 of its canonical JSON, the hash of the link before included', () => {
    const [first, second] = chainOf(2)
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
    expect(first).toEqual({ replicas: 0, previousHash: null, hash: sha256('{"previousHash":null,"replicas":0}') })
    expect(second.hash).toBe(sha256(`{"previousHash":"${first.hash}","replicas":1}`))
  })

  test('is intact as it was made, also when its oldest links are not kept, and after it was written and read', () => {
    const links = chainOf(5)
    expect(verifyChain(links)).toEqual({ status: 'intact', links: 5, head: links[4].hash })
    expect(verifyChain(links.slice(2))).toEqual({ status: 'intact', links: 3, head: links[4].hash })
    expect(verifyChain(JSON.parse(JSON.stringify(links)))).toMatchObject({ status: 'intact', links: 5 })
    expect(verifyChain([])).toEqual({ status: 'intact', links: 0, head: null })
  })

  test('may begin after records that had no hashes yet', () => {
    expect(verifyChain([{}, {}, ...chainOf(2)])).toMatchObject({ status: 'intact', links: 2 })
  })

  test.each([
    { what: 'a changed value', tamper: (links: Record[]) => links.with(2, { ...links[2], replicas: 99 }), index: 2, reason: 'was changed' },
    { what: 'a changed value with its hash made anew', tamper: (links: Record[]) => links.with(2, chained({ replicas: 99 }, links[1].hash!)), index: 3, reason: 'does not name the one before' },
    { what: 'a removed link', tamper: (links: Record[]) => links.toSpliced(2, 1), index: 2, reason: 'removed' },
    { what: 'an inserted link', tamper: (links: Record[]) => links.toSpliced(2, 0, chained({ replicas: 99 }, links[1].hash!)), index: 3, reason: 'inserted' },
    { what: 'two links in the other order', tamper: (links: Record[]) => [links[0], links[2], links[1], links[3], links[4]], index: 1, reason: 'exchanged' },
    { what: 'a link without its hash', tamper: (links: Record[]) => links.with(2, { replicas: 2 }), index: 2, reason: 'has no hash' },
    { what: 'its first links without hashes', tamper: (links: Record[]) => [{ replicas: 0 }, { replicas: 1 }, ...links.slice(2)], index: 2, reason: 'does not name' },
    { what: 'a beginning in the middle', tamper: (links: Record[]) => [...links.slice(0, 2), ...chainOf(3)], index: 2, reason: 'does not name' }
  ])('with $what is broken there', ({ tamper, index, reason }) => {
    expect(verifyChain(tamper(chainOf(5)))).toEqual({ status: 'broken', index, reason: expect.stringContaining(reason) })
  })
})

describe('a checkpoint', () => {
  const key = generateKeyPairSync('ed25519')
  const checkpoint = signCheckpoint({ at: 1, services: [{ service: 'shop', asOf: 1, hash: 'a'.repeat(64) }] }, key)

  test('is signed by the key that it names', () => {
    expect(isSigned(checkpoint)).toBe(true)
    expect(isSigned(JSON.parse(JSON.stringify(checkpoint)))).toBe(true)
  })

  test.each([
    { what: 'another hash', changed: { ...checkpoint, services: [{ service: 'shop', asOf: 1, hash: 'b'.repeat(64) }] } },
    { what: 'another time', changed: { ...checkpoint, at: 2 } },
    { what: 'another key', changed: { ...checkpoint, publicKey: generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).toString('base64') } },
    { what: 'something that is no key', changed: { ...checkpoint, publicKey: 'x' } },
    { what: 'no signature', changed: { ...checkpoint, signature: '' } }
  ])('with $what is not', ({ changed }) => {
    expect(isSigned(changed)).toBe(false)
  })
})
