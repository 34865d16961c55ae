import { readFileSync, realpathSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { parseAddress } from '../backend/address.ts'
import { fromBytes, fromText, type ByteString } from '../base/byte-string.ts'
import { throwIfAborted, unlessAborted } from '../base/abort.ts'
import { HoldfastError, toWireError } from '../base/errors.ts'
import type { WatchJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { FolderWatch } from '../source/folder-watch.ts'
import type { BrowseRequest } from './browse.ts'
import type { CommandContext } from './context.ts'
import { plainSummary } from './plain-summary.ts'

/** So often whoever asks is told of changes at most, in ms. */
const tellEveryMs = 5_000
/** How soon it is noticed that a disk went, or is back. */
const checkEveryMs = 10_000
/** More memory than the watchers of so many folders take (360 MB), watching is not worth. */
const mostFolders = 150_000
/** Other programs watch, too. */
const shareOfWatches = 0.75

/** What a watch says of itself. */
interface Watched {
  readonly folders: number
  readonly away: number
  readonly changes: number
}

interface WatchOptions {
  readonly mostFolders?: number
  readonly tellEveryMs?: number
  readonly checkEveryMs?: number
}

/**
 * Watches the sources of a backup until it is stopped, and tells whoever asks that something has changed, never what. Nothing of Holdfast's own counts,
 * nor what the job leaves out. Errors: `full` with `data.place` `watches` where there are too many folders.
 */
export async function serveWatch(job: WatchJob, context: CommandContext, requests: AsyncIterable<BrowseRequest>, options: WatchOptions = {}): Promise<RunSummary> {
  const startedMs = context.clock.now()
  const failed = Promise.withResolvers<never>()
  const teller = new Teller(context, options.tellEveryMs ?? tellEveryMs)
  using watch = new FolderWatch({ sources: job.sources.map(bytesOf), rules: job.excludes, never: neverWatched(job) }, {
    mostFolders: options.mostFolders ?? mostFoldersHere(),
    onChange: () => { teller.changed() },
    onFailure: (error) => { failed.reject(error) },
  })
  teller.look = () => ({ folders: watch.folders, away: watch.away })
  void answerAll(requests, teller)
  const stopped = new Promise<void>((resolve) => { context.signal.addEventListener('abort', () => { resolve() }, { once: true }) })
  await Promise.race([failed.promise, stopped, watch.open()])
  teller.ready()
  let mounts = mountPoints()
  const timer = setInterval(() => {
    watch.check()
    const now = mountPoints()
    for (const point of differing(mounts, now)) watch.remount(point)
    mounts = now
    teller.looked()
  }, options.checkEveryMs ?? checkEveryMs)
  try {
    if (!context.signal.aborted) await Promise.race([failed.promise, stopped])
  } finally {
    clearInterval(timer)
  }
  return plainSummary('watch', startedMs, context.clock.now(), undefined, {})
}

/** Answers `watched` when all folders are found and there is news, and never more often than it may. */
class Teller {
  readonly #context: CommandContext
  readonly #everyMs: number
  #changes = 0
  #ready = false
  #told: Watched | undefined
  #toldMs = -Infinity
  #wake = Promise.withResolvers<void>()
  look: () => Pick<Watched, 'folders' | 'away'> = () => ({ folders: 0, away: 0 })

  constructor(context: CommandContext, everyMs: number) {
    this.#context = context
    this.#everyMs = everyMs
  }

  changed(): void {
    this.#changes += 1
    this.looked()
  }

  ready(): void {
    this.#ready = true
    this.looked()
  }

  looked(): void {
    this.#wake.resolve()
  }

  /** The next news after what was told last. Rejects with `aborted`. */
  async next(): Promise<Watched> {
    const { clock, signal } = this.#context
    for (;;) {
      throwIfAborted(signal)
      const restMs = this.#toldMs + this.#everyMs - clock.monotonic()
      if (restMs > 0) await clock.sleep(restMs, signal)
      const now = { ...this.look(), changes: this.#changes }
      if (this.#ready && !isSame(this.#told, now)) {
        this.#told = now
        this.#toldMs = clock.monotonic()
        return now
      }
      this.#wake = Promise.withResolvers()
      await unlessAborted(this.#wake.promise, signal)
    }
  }
}

async function answerAll(requests: AsyncIterable<BrowseRequest>, teller: Teller): Promise<void> {
  for await (const { query, answer } of requests) {
    if (query.type === 'watched') {
      await teller.next().then((watched) => { answer({ type: 'watched', ...watched }) }, (error: unknown) => { answer({ type: 'error', error: toWireError(error) }) })
    } else answer({ type: 'error', error: toWireError(new HoldfastError('unsupported', 'A watch is asked nothing but what has changed.')) })
  }
}

function isSame(told: Watched | undefined, now: Watched): boolean {
  return told !== undefined && told.changes === now.changes && told.away === now.away && told.folders === now.folders
}

/** What changes by itself while a backup runs: Holdfast's own folders and the repository, under each of their names. */
function neverWatched({ home, repository, quiet, sources }: WatchJob): readonly ByteString[] {
  const address = parseAddress(repository)
  const own = [home, ...quiet, ...(address.type === 'local' ? [address.path] : [])]
  const real = own.map(realPath)
  const throughLinks = sources.filter((source) => typeof source === 'string').flatMap((source) => {
    const target = realPath(source)
    return target === source ? [] : real.filter((path) => path.startsWith(target + sep)).map((path) => join(source, relative(target, path)))
  })
  return [...new Set([...own, ...real, ...throughLinks])].map(fromText)
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function bytesOf(path: string | Uint8Array): ByteString {
  return typeof path === 'string' ? fromText(path) : fromBytes(path)
}

/** Where the system tells no limit, it has none that matters here. */
function mostFoldersHere(): number {
  try {
    const limit = Number(readFileSync('/proc/sys/fs/inotify/max_user_watches', 'utf8'))
    return Math.min(mostFolders, Math.floor(limit * shareOfWatches))
  } catch {
    return mostFolders
  }
}

/** Mount point → what is mounted there, of /proc/self/mountinfo; empty where there is none. */
function mountPoints(): ReadonlyMap<ByteString, string> {
  try {
    const lines = readFileSync('/proc/self/mountinfo', 'latin1').split('\n').filter((line) => line !== '')
    return new Map(lines.map((line) => {
      const [id = '', , device = '', , point = ''] = line.split(' ')
      return [point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))), `${id} ${device}`]
    }))
  } catch {
    return new Map()
  }
}

function differing(before: ReadonlyMap<ByteString, string>, now: ReadonlyMap<ByteString, string>): readonly ByteString[] {
  return [...new Set([...before.keys(), ...now.keys()])].filter((point) => before.get(point) !== now.get(point))
}
