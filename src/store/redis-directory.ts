import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readlink, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Logger } from 'pino'
import { PrescaleError } from '../errors.ts'

/** The path of a unix socket has room for 108 bytes on Linux and 104 on macOS, its end included. */
const longestSocketPath = 103

/** A path to a file in a directory that is short enough for a socket: itself, or one through a link that `dispose` removes. */
export async function shortPath (directory: string, file: string): Promise<{ path: string, dispose: () => Promise<void> }> {
  const path = join(directory, file)
  if (Buffer.byteLength(path) <= longestSocketPath) return { path, dispose: async () => {} }
  const link = await mkdtemp(join(tmpdir(), 'prescale-'))
  await symlink(directory, join(link, 'd'))
  return { path: join(link, 'd', file), dispose: () => rm(link, { recursive: true, force: true }) }
}

/** Runs while no other process runs something under the same lock file; the lock of a process that is dead does not count. */
export async function whileAlone<T> (lockPath: string, run: () => Promise<T>): Promise<T> {
  while (!await takeLock(lockPath)) await new Promise((resolve) => setTimeout(resolve, 50))
  try {
    return await run()
  } finally {
    await unlink(lockPath)
  }
}

async function takeLock (lockPath: string): Promise<boolean> {
  try {
    await writeFile(lockPath, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  if (await isAbandoned(lockPath)) await rm(lockPath, { force: true })
  return false
}

async function isAbandoned (lockPath: string): Promise<boolean> {
  const holder = await readPid(lockPath)
  if (holder !== null) return !isAlive(holder)
  // Its holder writes its number at once, unless it died just then.
  const { mtimeMs } = await stat(lockPath).catch(() => ({ mtimeMs: Infinity }))
  return Date.now() - mtimeMs > 5_000
}

/**
 * Ends a server that still holds the directory although nothing listens on its socket: two servers on one append-only file would
 * ruin it.
 *
 * @throws PrescaleError 'store-unavailable' when it cannot be ended, or when nobody can tell whose the process is.
 */
export async function endLeftover (directory: string, log: Logger): Promise<void> {
  const pidPath = join(directory, 'redis.pid')
  const pid = await readPid(pidPath)
  if (pid === null || !isAlive(pid)) return
  const ours = await servesDirectory(pid, directory)
  if (ours === false) return
  if (ours === null) throw new PrescaleError('store-unavailable', `Process ${pid} may be a Redis server that still writes to ${directory}; end it, or remove ${pidPath} if it is another program.`)
  log.warn({ pid }, `a Redis server for ${directory} cannot be reached; ending it before starting another`)
  process.kill(pid, 'SIGTERM')
  for (let waits = 0; waits < 100; waits++) {
    if (!isAlive(pid)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new PrescaleError('store-unavailable', `The Redis server of process ${pid} holds ${directory}, cannot be reached and does not end; end it with kill -9 ${pid}.`)
}

async function readPid (path: string): Promise<number | null> {
  const pid = Number(await readFile(path, 'utf8').catch(() => ''))
  return Number.isInteger(pid) && pid > 0 ? pid : null
}

function isAlive (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Whether a process is a server that works in the directory; null when this system does not tell. */
async function servesDirectory (pid: number, directory: string): Promise<boolean | null> {
  try {
    // A server changes to its directory. The link says so on Linux, and so does nothing else that survives a change of its title.
    return await readlink(`/proc/${pid}/cwd`) === directory
  } catch {
    try {
      const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)])
      return /(redis|valkey)-server/.test(stdout) ? null : false
    } catch {
      return null
    }
  }
}
