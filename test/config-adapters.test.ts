import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { formatDetails } from '../src/cli/details.ts'
import { loadConfig, type Config, type Overrides } from '../src/config.ts'
import { PrescaleError } from '../src/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'prescale-config-'))
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

function load (yaml: string, flags: Overrides = {}): Config {
  const configPath = join(folder, 'prescale.yaml')
  writeFileSync(configPath, yaml)
  return loadConfig({ configPath, ...flags }, {})
}
function errorsOf (yaml: string): string[] {
  try {
    load(yaml)
  } catch (error) {
    return formatDetails((error as PrescaleError).details)
  }
  throw new Error('It was accepted.')
}

describe('listeners for autoscalers', () => {
  it('are closed unless somebody asks for them', () => {
    expect(load('')).toMatchObject({ grpc: null, kubernetes: null, push: [] })
  })

  it('open on loopback with usual ports', () => {
    expect(load('listen: { grpc: {}, kubernetes: { port: 9443 } }')).toMatchObject({ grpc: { host: '127.0.0.1', port: 8081 }, kubernetes: { host: '127.0.0.1', port: 9443 } })
  })

  it('for Kubernetes open with --kubernetes as well', () => {
    expect(load('', { kubernetes: true }).kubernetes).toMatchObject({ host: '127.0.0.1', port: 8443 })
    expect(load('listen: { kubernetes: { port: 9443 } }', { kubernetes: true }).kubernetes).toMatchObject({ port: 9443 })
  })

  it('are beyond loopback only for callers who show a certificate, or with insecure', () => {
    expect(errorsOf('listen: { grpc: { host: 0.0.0.0 }, kubernetes: { host: 0.0.0.0 } }')).toEqual([
      expect.stringContaining('listen.grpc.host is "0.0.0.0", expected a loopback address'), expect.stringContaining('listen.kubernetes.host is "0.0.0.0", expected a loopback address')
    ])
    const tls = 'tls: { certificateFile: a.pem, keyFile: a.key'
    expect(load(`listen: { grpc: { host: 0.0.0.0, ${tls}, clientCaFile: ca.pem } }, kubernetes: { host: 0.0.0.0, ${tls} }, frontProxy: { clientCaFile: ca.pem } } }`).grpc?.host).toBe('0.0.0.0')
    expect(load('{ insecure: true, listen: { grpc: { host: 0.0.0.0 } } }').grpc?.host).toBe('0.0.0.0')
  })

  it('cannot ask for client certificates without TLS', () => {
    expect(errorsOf('listen: { kubernetes: { frontProxy: { clientCaFile: ca.pem } } }')).toEqual([expect.stringContaining('listen.kubernetes.tls: expected a certificate')])
  })
})

describe('targets that are told what changes', () => {
  it('get every kind of change unless they want fewer', () => {
    const [webhook, alertmanager] = load(`
push:
  webhooks: [{ url: 'https://example.org/hook', secret: 0123456789abcdef }]
  alertmanagers: [{ url: 'http://alertmanager:9093', labels: { team: web }, services: [shop] }]`).push
    expect(webhook).toMatchObject({ kind: 'webhook', services: null, attempts: 10, timeoutSeconds: 10 })
    expect(webhook).toHaveProperty('events.length', 6)
    expect(alertmanager).toMatchObject({ kind: 'alertmanager', labels: { team: 'web' }, services: ['shop'] })
  })

  it('have a secret, which may lie in a file', () => {
    const file = join(folder, 'secret')
    writeFileSync(file, 'a secret in a file\n')
    expect(load(`push: { webhooks: [{ url: 'https://example.org', secretFile: ${file} }] }`).push).toMatchObject([{ secret: 'a secret in a file' }])
    expect(errorsOf("push: { webhooks: [{ url: 'https://example.org' }] }")).toEqual([expect.stringContaining('push.webhooks[0]: expected either secret or secretFile')])
    expect(errorsOf("push: { webhooks: [{ url: 'https://example.org', secretFile: there/is/none }] }")).toEqual([expect.stringContaining('a readable file (ENOENT)')])
  })

  it('never show their secret or address in an error', () => {
    const lines = errorsOf("push: { webhooks: [{ url: 'ftp://token@example.org', secret: tooshort, event: x }] }").join('\n')
    expect(lines).toContain('push.webhooks[0].secret: expected a secret of at least 16 characters')
    expect(lines).not.toMatch(/tooshort|token/)
  })
})
