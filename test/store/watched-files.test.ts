import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { watchFiles } from '../../src/store/watched-files.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'prescale-watch-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

function watch (paths: string[], { fails = false } = {}) {
  const changes: string[][] = []
  const errors: unknown[] = []
  const onChange = (contents: Buffer[]) => {
    changes.push(contents.map(String))
    if (fails) throw new Error('not valid')
  }
  const files = watchFiles(paths, { onChange, onError: (error) => { errors.push(error) }, everyMs: 3_600_000 })
  files.close()
  return { ...files, changes, errors }
}

describe('files that are watched', () => {
  test('are told of when what they hold is another thing, and not when it is the same', () => {
    const paths = ['a', 'b'].map((name) => join(folder, name))
    for (const path of paths) writeFileSync(path, 'old')
    const { contents, check, changes } = watch(paths)
    expect(contents.map(String)).toEqual(['old', 'old'])
    writeFileSync(paths[0], 'old')
    check()
    expect(changes).toEqual([])
    writeFileSync(paths[1], 'new')
    check()
    check()
    expect(changes).toEqual([['old', 'new']])
  })

  test('may be changed as Kubernetes changes a secret: by a symbolic link to another folder', () => {
    for (const version of ['1', '2']) {
      mkdirSync(join(folder, version))
      writeFileSync(join(folder, version, 'tokens'), version)
    }
    symlinkSync('1', join(folder, 'data'))
    const { check, changes } = watch([join(folder, 'data', 'tokens')])
    symlinkSync('2', join(folder, 'next'))
    renameSync(join(folder, 'next'), join(folder, 'data'))
    check()
    expect(changes).toEqual([['2']])
  })

  test('that are gone or not valid are told of once, and again after they were sound', () => {
    const path = join(folder, 'a')
    writeFileSync(path, 'old')
    const { check, changes, errors } = watch([path])
    rmSync(path)
    check()
    check()
    expect(errors).toEqual([expect.objectContaining({ code: 'ENOENT' })])
    writeFileSync(path, 'new')
    check()
    rmSync(path)
    check()
    expect(changes).toEqual([['new']])
    expect(errors).toHaveLength(2)
  })

  test('must be there at the start', () => {
    expect(() => watch([join(folder, 'none')])).toThrow('ENOENT')
  })
})
