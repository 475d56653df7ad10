import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PrescaleError } from '../errors.ts'
import { checkManifest, compareVersions, modelNamePattern, type Manifest } from './manifest.ts'

/** What the one who loads can work with; left out means anything. */
export interface Wanted {
  /** The newest where not given. */
  readonly version?: string
  readonly kind?: string
  readonly features?: readonly string[]
}
export interface LoadedModel { readonly manifest: Manifest, readonly bytes: Uint8Array }

const refuse = (sentence: string, cause?: unknown) => new PrescaleError('model-format', sentence, { cause })

/** Trained models as files: `<directory>/<name>/<version>/manifest.json` and beside it the model file. A version never changes. */
export function createModelRegistry ({ directory }: { readonly directory: string }) {
  /** Versions that are there, newest first; none when the name is unknown. */
  const versions = async (name: string): Promise<string[]> => (await folders(join(directory, pathSafe(name)))).sort((a, b) => compareVersions(b, a))

  /** By name, each with its newest version first. A manifest that cannot be read is left out; loading it says why. */
  const list = async (): Promise<Manifest[]> => {
    const manifests: Manifest[] = []
    for (const name of (await folders(directory)).sort()) {
      for (const version of await versions(name)) {
        const manifest = await readManifest(join(directory, name, version)).catch(() => null)
        if (manifest) manifests.push(manifest)
      }
    }
    return manifests
  }

  /**
   * A model file that is what its manifest says and what is wanted.
   *
   * @throws PrescaleError 'not-found' when there is no such model, 'model-format' with what is wrong in one sentence.
   */
  const load = async (name: string, { version: wished, kind, features }: Wanted = {}): Promise<LoadedModel> => {
    const known = await versions(name)
    const version = wished ?? known[0]
    if (version === undefined) throw new PrescaleError('not-found', `There is no model ${name} in ${directory}.`)
    if (!known.includes(version)) throw new PrescaleError('not-found', `There is no version ${version} of the model ${name}; there is ${known.join(', ') || 'none'}.`)
    const folder = join(directory, name, version)
    const manifest = await readManifest(folder)
    checkWanted(manifest, { kind, features })
    return { manifest, bytes: await readModel(folder, manifest) }
  }

  /**
   * Puts a new version there, whole or not at all.
   *
   * @throws PrescaleError 'conflict' when the version exists.
   */
  const save = async ({ manifest: rest, bytes, file = 'model.bin' }: { manifest: Omit<Manifest, 'sha256' | 'file'>, bytes: Uint8Array, file?: string }): Promise<Manifest> => {
    const manifest = { ...rest, sha256: sha256(bytes), file } as Manifest
    const problems = checkManifest(manifest)
    if (problems.length > 0) throw new PrescaleError('invalid-request', 'The manifest is not complete.', { details: problems })
    await mkdir(join(directory, manifest.name), { recursive: true })
    const temporary = await mkdtemp(join(directory, manifest.name, '.saving-'))
    try {
      await writeFile(join(temporary, file), bytes, { flush: true })
      await writeFile(join(temporary, 'manifest.json'), JSON.stringify(manifest, null, 2) + '\n', { flush: true })
      // Made for us alone until here.
      await chmod(temporary, 0o755)
      await rename(temporary, join(directory, manifest.name, manifest.version))
    } catch (error) {
      await rm(temporary, { recursive: true, force: true })
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
      throw new PrescaleError('conflict', `Version ${manifest.version} of the model ${manifest.name} is there already; a version never changes.`)
    }
    return manifest
  }

  return { list, versions, load, save }
}
export type ModelRegistry = ReturnType<typeof createModelRegistry>

/** Whether a folder is the one of a single model's version. */
export async function isModel (folder: string): Promise<boolean> {
  const entries: string[] = await readdir(folder).catch(() => [])
  return entries.includes('manifest.json')
}

function pathSafe (name: string): string {
  if (!new RegExp(modelNamePattern).test(name)) {
    throw new PrescaleError('invalid-request', `"${name}" cannot be the name of a model.`, { details: [{ path: 'name', value: name, expected: `text of the form ${modelNamePattern}` }] })
  }
  return name
}

async function folders (directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return entries.filter((entry) => entry.isDirectory() && new RegExp(modelNamePattern).test(entry.name)).map(({ name }) => name)
}

async function readManifest (folder: string): Promise<Manifest> {
  const path = join(folder, 'manifest.json')
  let manifest: unknown
  try {
    manifest = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw refuse(`${path} cannot be read: ${(error as Error).message}.`, error)
  }
  const [problem] = checkManifest(manifest)
  if (problem) throw refuse(`${path} is not a manifest: ${problem.path || 'it'} should be ${problem.expected}.`)
  return manifest as Manifest
}

function checkWanted ({ name, version, kind, features }: Manifest, wanted: Wanted): void {
  const model = `The model ${name} ${version}`
  if (wanted.kind !== undefined && kind !== wanted.kind) throw refuse(`${model} is of the kind ${kind}, and ${wanted.kind} is needed.`)
  if (wanted.features === undefined) return
  const index = Array.from({ length: Math.max(features.length, wanted.features.length) }, (_, i) => i).find((i) => features[i] !== wanted.features?.[i])
  if (index === undefined) return
  throw refuse(`${model} was trained on ${features.length} features and ${wanted.features.length} are fed to it; the first difference is number ${index + 1}: ${features[index] ?? 'none'} instead of ${wanted.features[index] ?? 'none'}.`)
}

async function readModel (folder: string, { name, version, file, sha256: expected }: Manifest): Promise<Uint8Array> {
  const bytes = await readFile(join(folder, file)).catch((error: NodeJS.ErrnoException) => {
    throw refuse(`The model ${name} ${version} has no readable file ${file}: ${error.message}.`, error)
  })
  const actual = sha256(bytes)
  if (actual !== expected) throw refuse(`The file of the model ${name} ${version} was changed or damaged: its SHA-256 begins with ${actual.slice(0, 12)}, its manifest says ${expected.slice(0, 12)}.`)
  // A buffer of its own, so that sections of it can be used in place.
  return new Uint8Array(bytes)
}

function sha256 (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
