import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { abortError, throwIfAborted } from '../../base/abort.ts'
import { hasErrno } from '../../base/errno.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { DavPlace } from '../dav/client.ts'
import { causeError } from '../http/failure.ts'
import type { RcloneAddress } from './address.ts'
import { notInstalled, rcloneError } from './errors.ts'

/** A remote in the cloud is asked for its root before rclone serves. */
const startMs = 60_000
const stopMs = 5_000
const keptWords = 4000

/**
 * Serves a remote. Nothing may be answered before it is stored, so files are not cached (`--vfs-cache-mode off`); what other machines write
 * is seen at once, so folders are not either; times are the storage's own, which costs no request for each file.
 */
const flags = ['--addr', '127.0.0.1:0', '--vfs-cache-mode', 'off', '--dir-cache-time', '0s', '--poll-interval', '0', '--use-server-modtime', '--ask-password=false', '--log-level', 'NOTICE']

/**
 * rclone ends with its parent, however that ends: standard input is a pipe from here, and closes with this process. The shell waits for
 * either. (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html: a command in the background reads nothing from standard
 * input unless told to.) The file with its login goes with it.
 */
const keeper = `
folder=$1; shift; exec 3<&0
"$0" "$@" </dev/null 3<&- & child=$!
{ cat <&3 >/dev/null; kill "$child"; } 2>/dev/null &
wait "$child"; ended=$?
rm -f "$folder/htpasswd"; rmdir "$folder"; exit "$ended"`

/** The user's own rclone, which serves a remote as a WebDAV server to this process alone. Started when it is needed, and again when it has died. */
export class RcloneServer implements AsyncDisposable {
  readonly #address: RcloneAddress
  #running: Promise<Running> | undefined

  constructor(address: RcloneAddress) {
    this.#address = address
  }

  /** Errors: arguments (no rclone, no such remote), credentials, version, offline, unavailable, aborted. */
  async place(signal: AbortSignal): Promise<DavPlace> {
    throwIfAborted(signal)
    const running = (this.#running ??= this.#start())
    const aborted = Promise.withResolvers<never>()
    const onAbort = (): void => { aborted.reject(abortError(signal)) }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return (await Promise.race([running, aborted.promise])).place
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = await this.#running?.catch(() => undefined)
    this.#running = undefined
    if (running) await stop(running.child)
  }

  async #start(): Promise<Running> {
    try {
      const running = await start(this.#address)
      running.child.once('exit', () => { this.#running = undefined })
      if (running.child.exitCode !== null || running.child.signalCode !== null) this.#running = undefined
      return running
    } catch (error) {
      this.#running = undefined
      throw error
    }
  }
}

interface Running {
  readonly child: ChildProcess
  readonly place: DavPlace
}

/** The password is in a file that rclone reads, and only as a hash: neither in its arguments nor in its environment. */
async function start({ remote, config }: RcloneAddress): Promise<Running> {
  const user = randomBytes(8).toString('hex')
  const password = randomBytes(32).toString('base64url')
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-rclone-'))
  const logins = join(folder, 'htpasswd')
  await writeFile(logins, `${user}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`, { mode: 0o600 })
  const child = spawnKept(folder, ['serve', 'webdav', remote, ...flags, '--htpasswd', logins, ...(config === undefined ? [] : ['--config', config])])
  child.once('close', () => { void rm(folder, { recursive: true, force: true }) })
  return { child, place: { origin: await servedAt(child), user, password } }
}

function spawnKept(folder: string, words: readonly string[]): ChildProcess {
  if (process.platform === 'win32') return spawn('rclone', words, { stdio: ['pipe', 'ignore', 'pipe'], windowsHide: true })
  return spawn('/bin/sh', ['-c', keeper, 'rclone', folder, ...words], { stdio: ['pipe', 'ignore', 'pipe'] })
}

/** Resolves to where it listens, as it says so itself. */
function servedAt(child: ChildProcess): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.stdin?.destroy()
      reject(new HoldfastError('offline', 'rclone does not come to serve the remote.', { cause: new Error(said.slice(-500)) }))
    }, startMs)
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(hasErrno(error, 'ENOENT') ? causeError(notInstalled, []) : error)
    })
    child.on('exit', (code) => {
      clearTimeout(timer)
      // The shell's own answer for a program that is not there.
      reject(code === 127 ? causeError(notInstalled, []) : rcloneError(said))
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-keptWords)
      const origin = /started on \[?(http:\/\/127\.0\.0\.1:\d{1,5})\//.exec(said)?.[1]
      if (origin === undefined) return
      clearTimeout(timer)
      resolve(origin)
    })
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => { child.once('exit', () => { resolve() }) })
  const timer = setTimeout(() => { child.kill('SIGKILL') }, stopMs)
  child.stdin?.destroy()
  if (process.platform === 'win32') child.kill()
  await gone
  clearTimeout(timer)
}
