import { describe, expect, test } from 'vitest'
import { createAccess, openAccess } from '../../src/access/access.ts'
import { toPrincipal } from '../../src/access/grants.ts'
import { createTokenList, hashToken, newToken, parseTokens } from '../../src/access/tokens.ts'

const sha256 = hashToken('secret')
const entry = { name: 'keda', sha256, scopes: ['read'] }

describe('a file of tokens', () => {
  test.each([
    { form: 'a YAML list', text: `- { name: keda, sha256: "${sha256}", scopes: [read] }\n` },
    { form: 'a JSON list', text: JSON.stringify([entry]) },
    { form: 'one JSON object on each line', text: `${JSON.stringify(entry)}\n\n` }
  ])('may be $form', ({ text }) => {
    expect(parseTokens(text, 'tokens.yaml')).toEqual([entry])
  })

  test('may be empty, and then nobody gets in', () => {
    expect(parseTokens('', 'tokens.yaml')).toEqual([])
    expect(createTokenList([]).find('secret')).toBeNull()
  })

  test.each([
    { what: 'a scope that is none', text: JSON.stringify([{ ...entry, scopes: ['write'] }]), path: 'tokens.yaml[0].scopes[0]' },
    { what: 'no scope', text: JSON.stringify([{ ...entry, scopes: [] }]), path: 'tokens.yaml[0].scopes' },
    { what: 'a name twice', text: JSON.stringify([entry, { ...entry, sha256: hashToken('other') }]), path: 'tokens.yaml[1].name' },
    { what: 'a token twice', text: JSON.stringify([entry, { ...entry, name: 'other' }]), path: 'tokens.yaml[1].sha256' },
    { what: 'something else than YAML', text: '- {', path: 'tokens.yaml' },
    { what: 'a line that is not JSON', text: `${JSON.stringify(entry)}\n{oops`, path: 'tokens.yaml:2' }
  ])('with $what is refused, and told where', ({ text, path }) => {
    expect(() => parseTokens(text, 'tokens.yaml')).toThrow(expect.objectContaining({ code: 'invalid-config', details: [expect.objectContaining({ path })] }))
  })

  test('is refused without showing a token that somebody put where its hash belongs', () => {
    const text = JSON.stringify([{ ...entry, sha256: 'prescale_my-own-token' }])
    try {
      parseTokens(text, 'tokens.yaml')
      expect.unreachable()
    } catch (error) {
      expect(JSON.stringify({ error, message: (error as Error).message })).not.toContain('my-own-token')
    }
  })
})

describe('a token', () => {
  test('is found among many by its hash alone, and several of one owner are valid at once', () => {
    const tokens = Array.from({ length: 1000 }, () => newToken())
    const list = createTokenList(tokens.map((token, i) => ({ name: `owner ${i}`, sha256: hashToken(token), scopes: ['read' as const] })))
    expect(list.find(tokens[0])?.name).toBe('owner 0')
    expect(list.find(tokens[999])?.name).toBe('owner 999')
    expect(list.find(newToken())).toBeNull()
    expect(list.find('')).toBeNull()
  })

  test('has 256 bits of chance behind a prefix that scanners know', () => {
    expect(newToken()).toMatch(/^prescale_[A-Za-z0-9_-]{43}$/)
    expect(newToken()).not.toBe(newToken())
  })
})

describe('a grant', () => {
  const principal = (services?: string[], scopes: ('read' | 'ingest' | 'operate' | 'admin')[] = ['read']) => toPrincipal({ name: 'a', scopes, ...(services && { services }) }, 'token')

  test.each([
    { patterns: ['shop'], service: 'shop', allowed: true },
    { patterns: ['shop'], service: 'shop-2', allowed: false },
    { patterns: ['shop-*'], service: 'shop-2', allowed: true },
    { patterns: ['shop-*'], service: 'workshop-2', allowed: false },
    { patterns: ['*-eu', 'cart'], service: 'shop-eu', allowed: true },
    { patterns: ['a*b*c'], service: 'a1b2c', allowed: true },
    { patterns: ['a*b*c'], service: 'a1c', allowed: false },
    { patterns: ['ab*bc'], service: 'abc', allowed: false },
    { patterns: ['*a*a*a*a*a*a*a*b'], service: 'a'.repeat(128), allowed: false },
    { patterns: ['*'], service: 'anything', allowed: true },
    { patterns: ['a.c'], service: 'abc', allowed: false }
  ])('for $patterns reaches $service: $allowed', ({ patterns, service, allowed }) => {
    expect(principal(patterns).mayUse!(service)).toBe(allowed)
  })

  test('without services is for all of them', () => {
    expect(principal().mayUse).toBeNull()
  })

  test('of admin holds every scope, any other only itself', () => {
    expect(principal(undefined, ['admin']).may('ingest')).toBe(true)
    expect(principal(undefined, ['operate']).may('read')).toBe(false)
  })
})

describe('access', () => {
  test('by certificate goes to the first name that is known', () => {
    const access = createAccess({ tokens: [], certificates: [{ name: 'keda-operator', scopes: ['read'] }] })
    expect(access.byCertificate(['other', 'keda-operator'])).toMatchObject({ name: 'keda-operator', kind: 'certificate' })
    expect(access.byCertificate(['other'])).toBeNull()
    expect(access.withoutAnything).toBeNull()
  })

  test('without any configuration is everybody\'s', () => {
    expect(openAccess.withoutAnything?.may('admin')).toBe(true)
  })
})
