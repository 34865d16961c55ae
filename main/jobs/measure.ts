import type { Dirent } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import ignore from 'ignore'
import { presetPatterns } from '../../engine/protocol/exclude-presets.ts'
import type { ExcludeRules, SizeView } from '../api/contract.ts'

export interface MeasureOptions {
  /** Entries to look at; more are not. */
  readonly most: number
  /** Until then; `performance.now()`. */
  readonly untilMs?: number
  readonly excludes?: Pick<ExcludeRules, 'presets' | 'patterns' | 'oneFileSystem'>
}

/** Files that are asked for their size at once: few, so that whoever else needs the disk gets it. */
const atOnce = 16

/**
 * Sizes of the files in folders, as far as they can be read, without following links and without reading content. What is left out by rules is left out here
 * about as in a backup. Never rejects for what it cannot read. Errors: the signal's reason.
 */
export async function sizeOf(folders: readonly string[], options: MeasureOptions, signal?: AbortSignal): Promise<SizeView> {
  const walk = new Walk(options, signal)
  for (const folder of folders) await walk.source(folder)
  return walk.size
}

class Walk {
  readonly #options: MeasureOptions
  readonly #signal: AbortSignal | undefined
  #entries = 0
  #bytes = 0
  #files = 0
  #isMore = false

  constructor(options: MeasureOptions, signal: AbortSignal | undefined) {
    this.#options = options
    this.#signal = signal
  }

  get size(): SizeView {
    return { bytes: this.#bytes, files: this.#files, isMore: this.#isMore }
  }

  async source(root: string): Promise<void> {
    const { oneFileSystem = false } = this.#options.excludes ?? {}
    const isLeftOut = leftOut(root, this.#options.excludes)
    const device = oneFileSystem ? await deviceOf(root) : undefined
    const folders = [root]
    for (let next = folders.pop(); next !== undefined && !this.#isMore; next = folders.pop()) {
      if (device !== undefined && (await deviceOf(next)) !== device) continue
      folders.push(...(await this.#folder(next, isLeftOut)))
    }
  }

  /** @returns the folders in it */
  async #folder(folder: string, isLeftOut: (path: string, isFolder: boolean) => boolean): Promise<readonly string[]> {
    const found: { folders: string[]; bytes: number; files: number } = { folders: [], bytes: 0, files: 0 }
    let batch: string[] = []
    try {
      for await (const entry of await opendir(folder)) {
        this.#signal?.throwIfAborted()
        if (this.#isFull()) break
        if (isMarker(entry, this.#options.excludes?.presets)) return []
        const path = join(folder, entry.name)
        const isFolder = entry.isDirectory()
        if (isLeftOut(path, isFolder)) continue
        if (isFolder) found.folders.push(path)
        else if (entry.isFile()) batch.push(path)
        if (batch.length < atOnce) continue
        add(found, await sizes(batch))
        batch = []
      }
    } catch {
      // It is gone meanwhile, or belongs to somebody else: the size is only about right.
      this.#signal?.throwIfAborted()
    }
    add(found, await sizes(batch))
    this.#bytes += found.bytes
    this.#files += found.files
    return found.folders
  }

  #isFull(): boolean {
    this.#entries += 1
    this.#isMore ||= this.#entries > this.#options.most || performance.now() > (this.#options.untilMs ?? Infinity)
    return this.#isMore
  }
}

function add(found: { bytes: number; files: number }, batch: readonly (number | undefined)[]): void {
  for (const size of batch) {
    if (size === undefined) continue
    found.bytes += size
    found.files += 1
  }
}

function sizes(paths: readonly string[]): Promise<readonly (number | undefined)[]> {
  return Promise.all(paths.map((path) => lstat(path).then(({ size }) => size, () => undefined)))
}

function deviceOf(path: string): Promise<number | undefined> {
  return lstat(path).then(({ dev }) => dev, () => undefined)
}

/** What marks its folder as left out. */
function isMarker({ name }: Dirent, presets: ExcludeRules['presets'] = []): boolean {
  return (name === '.nobackup' && presets.includes('nobackup')) || (name === 'CACHEDIR.TAG' && presets.includes('cachedir'))
}

function leftOut(root: string, excludes: MeasureOptions['excludes']): (path: string, isFolder: boolean) => boolean {
  const patterns = excludes ? [...excludes.presets.flatMap((preset) => presetPatterns[preset]), ...excludes.patterns] : []
  if (patterns.length === 0) return () => false
  const rules = ignore({ allowRelativePaths: true }).add(patterns)
  return (path, isFolder) => rules.ignores(relative(root, path).replaceAll(sep, '/') + (isFolder ? '/' : ''))
}
