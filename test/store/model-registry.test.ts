import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compareVersions } from '../../src/store/manifest.ts'
import { createModelRegistry } from '../../src/store/model-registry.ts'

let directory: string
beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'prescale-models-')) })
afterEach(() => { rmSync(directory, { recursive: true, force: true }) })

const bytes = Uint8Array.from({ length: 300 }, (_, i) => i % 256)
const about = (version: string, name = 'forecast') => ({
  name,
  version,
  kind: 'forecast-forest',
  features: ['load', 'trend'],
  trainedAt: '2024-05-01T10:00:00.000Z',
  rows: 100,
  range: { from: '2024-04-01T00:00:00.000Z', to: '2024-05-01T00:00:00.000Z' },
  seed: 7,
  metrics: { meanError: 0.1, naiveMeanError: 0.2 }
})
const damage = (path: string, change: (text: string) => string) => {
  const file = join(directory, path)
  writeFileSync(file, change(readFileSync(file, 'utf8')))
}

describe('the model registry', () => {
  it('gives back what was saved', async () => {
    const registry = createModelRegistry({ directory })
    const manifest = await registry.save({ manifest: about('1.0.0'), bytes })
    expect(manifest).toMatchObject({ ...about('1.0.0'), file: 'model.bin' })
    expect(manifest.sha256).toMatch(/^[0-9a-f]{64}$/)
    const loaded = await registry.load('forecast', { kind: 'forecast-forest', features: ['load', 'trend'] })
    expect(loaded).toEqual({ manifest, bytes })
    // A buffer of its own, aligned for typed arrays.
    expect(loaded.bytes.byteOffset).toBe(0)
    expect(readdirSync(join(directory, 'forecast'))).toEqual(['1.0.0'])
  })

  it('loads the newest version where none is asked for, and lists all of them', async () => {
    const registry = createModelRegistry({ directory })
    for (const version of ['1.9.2', '1.10.0', '1.10.0-rc1']) await registry.save({ manifest: about(version), bytes })
    await registry.save({ manifest: about('3', 'anomaly'), bytes })
    expect((await registry.load('forecast')).manifest.version).toBe('1.10.0-rc1')
    expect((await registry.load('forecast', { version: '1.9.2' })).manifest.version).toBe('1.9.2')
    expect((await registry.list()).map(({ name, version }) => `${name} ${version}`)).toEqual([
      'anomaly 3', 'forecast 1.10.0-rc1', 'forecast 1.10.0', 'forecast 1.9.2'
    ])
  })

  it.each([['1.10.0', '1.9.2'], ['10', '9'], ['2024-10-01', '2024-9-30'], ['1.0.1', '1.0'], ['b', 'a']])('takes version %s for newer than %s', (newer, older) => {
    expect(compareVersions(newer, older)).toBeGreaterThan(0)
    expect(compareVersions(older, newer)).toBeLessThan(0)
    expect(compareVersions(newer, newer)).toBe(0)
  })

  it('never changes a version', async () => {
    const registry = createModelRegistry({ directory })
    await registry.save({ manifest: about('1'), bytes })
    await expect(registry.save({ manifest: { ...about('1'), seed: 8 }, bytes })).rejects.toMatchObject({
      code: 'conflict', message: 'Version 1 of the model forecast is there already; a version never changes.'
    })
    expect((await registry.load('forecast')).manifest.seed).toBe(7)
    expect(readdirSync(join(directory, 'forecast'))).toEqual(['1'])
  })

  const refusals: { name: string, spoil?: () => void, wanted?: { kind?: string, features?: string[], version?: string }, code: string, message: RegExp }[] = [
    { name: 'another version', wanted: { version: '2' }, code: 'not-found', message: /^There is no version 2 of the model forecast; there is 1\.$/ },
    { name: 'another kind', wanted: { kind: 'config' }, code: 'model-format', message: /^The model forecast 1 is of the kind forecast-forest, and config is needed\.$/ },
    {
      name: 'other features',
      wanted: { features: ['load', 'slope', 'hour'] },
      code: 'model-format',
      message: /^The model forecast 1 was trained on 2 features and 3 are fed to it; the first difference is number 2: trend instead of slope\.$/
    },
    {
      name: 'a damaged file',
      spoil: () => writeFileSync(join(directory, 'forecast/1/model.bin'), 'x'),
      code: 'model-format',
      message: /^The file of the model forecast 1 was changed or damaged: its SHA-256 begins with 2d711642b726, its manifest says [0-9a-f]{12}\.$/
    },
    {
      name: 'a missing file', spoil: () => rmSync(join(directory, 'forecast/1/model.bin')), code: 'model-format', message: /^The model forecast 1 has no readable file model\.bin: ENOENT/
    },
    { name: 'a manifest that is no JSON', spoil: () => damage('forecast/1/manifest.json', (text) => text.slice(1)), code: 'model-format', message: /manifest\.json cannot be read: / },
    {
      name: 'a manifest without rows',
      spoil: () => damage('forecast/1/manifest.json', (text) => text.replace('"rows"', '"lines"')),
      code: 'model-format',
      message: /manifest\.json is not a manifest: rows should be a whole number of at least 0\.$/
    },
    {
      name: 'a file elsewhere',
      spoil: () => damage('forecast/1/manifest.json', (text) => text.replace('"model.bin"', '"../../secret"')),
      code: 'model-format',
      message: /manifest\.json is not a manifest: file should be the name of the model file/
    }
  ]
  it.each(refusals)('refuses $name with a sentence of its own', async ({ spoil, wanted, code, message }) => {
    const registry = createModelRegistry({ directory })
    await registry.save({ manifest: about('1'), bytes })
    spoil?.()
    await expect(registry.load('forecast', wanted)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string })
  })

  it('leaves a folder without a manifest out of the list, and says so on loading', async () => {
    mkdirSync(join(directory, 'forecast/5'), { recursive: true })
    const registry = createModelRegistry({ directory })
    expect(await registry.list()).toEqual([])
    await expect(registry.load('forecast')).rejects.toMatchObject({ code: 'model-format' })
  })

  it.each(['../models', '.', '', 'a/b', 'a\\b', '-', 'x'.repeat(65)])('does not take "%s" for a name', async (name) => {
    const registry = createModelRegistry({ directory })
    await expect(registry.load(name)).rejects.toMatchObject({ code: 'invalid-request' })
    await expect(registry.save({ manifest: about('1', name), bytes })).rejects.toMatchObject({ code: 'invalid-request' })
    await expect(registry.save({ manifest: about(name), bytes })).rejects.toMatchObject({ code: 'invalid-request' })
  })

  it('says when there is no such model, and no such directory', async () => {
    await expect(createModelRegistry({ directory: join(directory, 'none') }).load('forecast')).rejects.toMatchObject({ code: 'not-found' })
    expect(await createModelRegistry({ directory: join(directory, 'none') }).list()).toEqual([])
  })
})
