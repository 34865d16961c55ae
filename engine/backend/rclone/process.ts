import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { abortError, throwIfAborted } from '../../base/abort.ts'
import { hasErrno } from '../../base/errno.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { DavPlace, Witness } from '../dav/client.ts'
import { causeError } from '../http/failure.ts'
import type { RcloneAddress } from './address.ts'
import { notInstalled, rcloneError } from './errors.ts'
import { RcloneWords } from './words.ts'

/** A remote in the cloud is asked for its root before rclone serves. */
const startMs = 60_000
const stopMs = 5_000

/**
 * Serves a remote. Nothing may be answered before it is stored, so files are not cached (`--vfs-cache-mode off`); what other machines write
 * is seen at once, so folders are not either; times are the storage's own, which costs no request for each file. What it prints is read, so
 * that nobody's RCLONE_LOG_FILE or RCLONE_USE_JSON_LOG may lead it elsewhere. Holdfast repeats what fails, so rclone gives up early.
 */
const flags = [
  '--addr', '127.0.0.1:0', '--vfs-cache-mode', 'off', '--dir-cache-time', '0s', '--poll-interval', '0', '--use-server-modtime', '--ask-password=false', '--low-level-retries', '3',
  '--log-level', 'NOTICE', '--log-file=', '--use-json-log=false', '--log-format=date,time',
]

/**
 * rclone ends with its parent, however that ends: standard input is a pipe from here, and closes with this process. The shell waits for
 * either. (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html: a command in the background reads nothing from standard
 * input unless told to.) The file with its login goes with it.
 */
const keeper = `
folder=$1; shift; exec 3<&0
"$0" "$@" </dev/null 3<&- & child=$!
{ while read -r _ <&3; do :; done; kill "$child"; } 2>/dev/null &
wait "$child"; ended=$?
rm -f "$folder/htpasswd"; rmdir "$folder"; exit "$ended"`

/** The user's own rclone, which serves a remote as a WebDAV server to this process alone. Started when it is needed, and again when it has died. */
export class RcloneServer implements AsyncDisposable {
  readonly #address: RcloneAddress
  readonly #over = new AbortController()
  #running: Promise<Running> | undefined
  #words = new RcloneWords()

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

  /** What it prints about an exchange that begins now. */
  witness(): Witness {
    return this.#words.witness()
  }

  /** Does not wait for one that is still starting. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    const running = await this.#running?.catch(() => undefined)
    this.#running = undefined
    if (running) await stop(running.child)
  }

  async #start(): Promise<Running> {
    try {
      this.#words = new RcloneWords()
      const running = await start(this.#address, this.#words, this.#over.signal)
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
async function start({ remote, config }: RcloneAddress, words: RcloneWords, over: AbortSignal): Promise<Running> {
  const user = randomBytes(8).toString('hex')
  const password = randomBytes(32).toString('base64url')
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-rclone-'))
  const logins = join(folder, 'htpasswd')
  await writeFile(logins, `${user}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`, { mode: 0o600 })
  const child = spawnKept(folder, ['serve', 'webdav', remote, ...flags, '--htpasswd', logins, ...(config === undefined ? [] : ['--config', config])])
  child.once('close', () => { void rm(folder, { recursive: true, force: true }) })
  return { child, place: { origin: await servedAt(child, words, over), user, password } }
}

/**
 * In a group of its own, so that an interrupt at the terminal, after which Holdfast finishes what is on its way, does not reach it. Its
 * environment is the user's (RCLONE_…, and what a remote takes its keys from), but for what is Holdfast's own.
 */
function spawnKept(folder: string, words: readonly string[]): ChildProcess {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_')))
  if (process.platform === 'win32') return spawn('rclone', words, { env, stdio: ['pipe', 'ignore', 'pipe'], windowsHide: true })
  return spawn('/bin/sh', ['-c', keeper, 'rclone', folder, ...words], { env, stdio: ['pipe', 'ignore', 'pipe'], detached: true })
}

/** Resolves to where it listens, as it says so itself. */
function servedAt(child: ChildProcess, words: RcloneWords, over: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const end = (error: Error): void => {
      clearTimeout(timer)
      over.removeEventListener('abort', onOver)
      reject(error)
    }
    const onOver = (): void => {
      kill(child)
      end(new HoldfastError('aborted', 'rclone is not needed any more.'))
    }
    const timer = setTimeout(() => {
      kill(child)
      end(new HoldfastError('offline', 'rclone does not come to serve the remote.', { cause: rcloneError(words.last) }))
    }, startMs)
    over.addEventListener('abort', onOver, { once: true })
    if (over.aborted) onOver()
    child.on('error', (error) => { end(hasErrno(error, 'ENOENT') ? causeError(notInstalled, []) : error) })
    // The shell's own answer for a program that is not there is 127.
    child.on('close', (code) => {
      words.end()
      end(code === 127 ? causeError(notInstalled, []) : rcloneError(words.last))
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words.add(text)
      const origin = /started on \[?(http:\/\/127\.0\.0\.1:\d{1,5})\//.exec(words.last)?.[1]
      if (origin === undefined) return
      clearTimeout(timer)
      over.removeEventListener('abort', onOver)
      resolve(origin)
    })
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => { child.once('exit', () => { resolve() }) })
  const timer = setTimeout(() => { kill(child) }, stopMs)
  child.stdin?.destroy()
  if (process.platform === 'win32') child.kill()
  await gone
  clearTimeout(timer)
}

/** With all that it has started. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined || process.platform === 'win32') {
    child.kill('SIGKILL')
    return
  }
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error
  }
}
