import {
  chmodSync, chownSync, closeSync, fstatSync, linkSync, lstatSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HoldfastError } from '../../../engine/base/errors.ts'
import { Dresser } from '../../../engine/target/dress.ts'
import { EntryWriter } from '../../../engine/target/entry-writer.ts'
import { errnoOf } from '../../../engine/base/errno.ts'
import { partMode } from '../../../engine/target/file-spec.ts'
import type { FileSpec } from '../../../engine/target/file-spec.ts'
import { FileWriter } from '../../../engine/target/file-writer.ts'
import { TargetFolders } from '../../../engine/target/folders.ts'
import type { FolderPlace } from '../../../engine/target/folders.ts'
import { pathCalls } from '../../../engine/target/path-calls.ts'
import { loadSystemCalls } from '../../../engine/target/system-calls.ts'
import type { SystemCalls } from '../../../engine/target/system-calls.ts'

const attacker = 65_534
/** Root's when that is who runs this; a test as another user proves the same of that user's files. */
const me = process.getuid?.() ?? 0
const temporary = `.holdfast-${'a'.repeat(20)}.part`
const metadata = { mode: 0o666, uid: me, gid: process.getgid?.() ?? 0, mtimeNs: 1_600_000_000_000_000_000n }

interface Canary {
  readonly path: string
  readonly descriptor: number
}

let ground: string
let target: string
let canaries: Canary[]

beforeEach(() => {
  ground = mkdtempSync(join(tmpdir(), 'holdfast-swaps-'))
  chmodSync(ground, 0o755)
  target = join(ground, 'target')
  mkdirSync(join(ground, 'outside', 'folder'), { recursive: true })
  for (const folder of ['target', 'loot']) mkdirSync(join(ground, folder))
  for (const folder of ['target', 'loot']) if (me === 0) chownSync(join(ground, folder), attacker, attacker)
  // One that links lead to, one that the attacker's own folder holds, so that it can be moved.
  canaries = [join(ground, 'outside', 'secret'), join(ground, 'loot', 'moved'), join(ground, 'outside', 'folder', 'inside')].map(makeCanary)
})

function makeCanary(path: string): Canary {
  writeFileSync(path, 'the content of a canary', { mode: 0o600 })
  utimesSync(path, 1000, 1000)
  return { path, descriptor: openSync(path, 'r') }
}

afterEach(() => {
  for (const { descriptor } of canaries) closeSync(descriptor)
  rmSync(ground, { recursive: true })
})

/** What must never change of the files themselves, whatever their names; of the folder what is in it. */
function stateOfCanaries(): unknown {
  const folder = lstatSync(join(ground, 'outside', 'folder'))
  const files = canaries.map(({ descriptor }) => {
    const { mode, uid, gid, size, mtimeMs } = fstatSync(descriptor)
    const content = Buffer.alloc(64)
    readSync(descriptor, content, 0, 64, 0)
    return { mode, uid, gid, size, mtimeMs, content: content.toString() }
  })
  return { files, inside: readdirSync(join(ground, 'outside', 'folder')), outside: readdirSync(join(ground, 'outside')), mode: folder.mode, uid: folder.uid }
}

/** What somebody who may write to the target can put in an entry's place. */
const swaps: Readonly<Record<string, (path: string) => void>> = {
  'a symbolic link to a file': (path) => { symlinkSync(join(ground, 'outside', 'secret'), path) },
  'a symbolic link to a folder': (path) => { symlinkSync(join(ground, 'outside', 'folder'), path) },
  'a hard link': (path) => { linkSync(join(ground, 'outside', 'secret'), path) },
  'a file that is not theirs': (path) => { renameSync(join(ground, 'loot', 'moved'), path) },
  'a folder': (path) => { mkdirSync(path) },
  'a FIFO': (path) => { execFileSync('mkfifo', [path]) },
  'nothing': () => undefined,
}

function swapAll(swap: (path: string) => void, only: string | undefined): void {
  for (const name of readdirSync(target)) {
    if (only !== undefined && name !== only) continue
    const path = join(target, name)
    renameSync(path, join(ground, 'loot', `${name}-was`))
    // What can be moved or linked once only is in the first one's place.
    try {
      swap(path)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }
}

/** Calls `before` ahead of each call of the system. */
function interposed(calls: SystemCalls, before: () => void): SystemCalls {
  return new Proxy(calls, {
    get(of, name) {
      const member: unknown = Reflect.get(of, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown => {
        before()
        return Reflect.apply(member, of, args)
      }
    },
  })
}

interface Hands {
  readonly root: FolderPlace
  readonly entries: EntryWriter
  readonly files: FileWriter
}

function spec(folder: FolderPlace, more: Partial<FileSpec> = {}): FileSpec {
  return { folder, name: 'entry', temporary, size: 5, sparse: false, direct: false, ...metadata, ...more }
}

/** Each thing that a restore does to an entry, with what stands there before. */
const operations: Readonly<Record<string, { readonly before?: (path: string) => void; readonly run: (hands: Hands) => void }>> = {
  'a new folder': { run: makeFolder },
  'a folder that is there': { before: (path) => { mkdirSync(path, { mode: 0o500 }) }, run: makeFolder },
  'a folder in place of a file': { before: (path) => { writeFileSync(path, '') }, run: makeFolder },
  'a symbolic link': { run: ({ root, entries }) => { entries.makeSymlink({ folder: root, name: 'entry' }, Buffer.from('points'), metadata) } },
  'a symbolic link in place of another': {
    before: (path) => { symlinkSync('other', path) },
    run: ({ root, entries }) => { entries.makeSymlink({ folder: root, name: 'entry' }, Buffer.from('points'), metadata) },
  },
  'a FIFO': { run: ({ root, entries }) => { entries.makeFifo({ folder: root, name: 'entry' }, metadata) } },
  'metadata of a file that has its content': {
    before: (path) => { writeFileSync(path, 'bytes', { mode: 0o600 }) },
    run: ({ root, entries }) => {
      const there = entries.look(root, 'entry')
      // Its content was compared in between, by its inode.
      if (there?.isFile() && there.size === 5n) entries.finishFile({ folder: root, name: 'entry' }, there, metadata)
    },
  },
  'a file': { run: ({ root, files }) => { files.write(spec(root), Buffer.from('bytes')) } },
  'a file under its own name': { run: ({ root, files }) => { files.write(spec(root, { direct: true }), Buffer.from('bytes')) } },
  'an empty file': { run: ({ root, files }) => { files.finish(spec(root, { size: 0 })) } },
  'a file in parts': { run: writeParts },
  'a file in parts, continued': { before: (path) => { writeFileSync(join(path, '..', temporary), 'by', { mode: partMode }) }, run: writeParts },
  'a file that is given up': { run: ({ root, files }) => { files.discard(spec(root)) } },
  'another name of a file': {
    before: (path) => { writeFileSync(`${path}-first`, 'bytes') },
    run: ({ root, entries }) => { entries.makeLink({ folder: root, name: 'entry-first' }, { folder: root, name: 'entry' }) },
  },
  'what earlier runs left': {
    before: (path) => { writeFileSync(join(path, '..', temporary), 'left') },
    run: ({ root, entries }) => { entries.removeLeftovers(root, new Set(), Date.now() + 1000) },
  },
}

function makeFolder({ root, entries, files }: Hands): void {
  const came = entries.makeFolder(root, 'entry', true)
  if (came === 'in the way') return
  const place = entries.enterFolder(root, 'entry', came === 'made', me)
  files.write(spec(place), Buffer.from('bytes'))
  entries.finishFolder(place, { ...metadata, mode: 0o777 }, came === 'made')
}

function writeParts({ root, entries, files }: Hands): void {
  const { part } = entries.openPart(root, temporary)
  const file = spec(root, { part })
  files.writePart(file, 2, Buffer.from('tes'))
  files.writePart(file, 0, Buffer.from('by'))
  files.finish(file)
}

/** @returns how many calls of the system the operation made. */
function runSwapped(calls: SystemCalls, run: (hands: Hands) => void, at: number, attack: () => void): number {
  let made = -Infinity
  const interposing = interposed(calls, () => { if (made++ === at) attack() })
  const held = calls.openRoot(Buffer.from(target))
  using hands = new TargetFolders(held, interposing)
  const dresser = new Dresser(interposing, me === 0)
  using files = new FileWriter(hands, interposing, dresser)
  try {
    const root = hands.rootPlace()
    made = 0
    run({ root, entries: new EntryWriter(hands, interposing, dresser, me === 0), files })
  } catch (error) {
    if (!(error instanceof HoldfastError && error.code === 'unsafe-path') && errnoOf(error) === undefined) throw error
  } finally {
    calls.closeFolder(held)
  }
  return made
}

const kinds: Readonly<Record<string, () => Promise<SystemCalls>>> = {
  'the system\'s own calls': loadSystemCalls,
  'paths that begin with a descriptor': () => Promise.resolve(pathCalls),
}

describe.each(Object.keys(kinds))('with %s', (kind) => {
  it.each(Object.keys(operations))('%s: nothing outside changes, whatever is swapped at whichever step', async (name) => {
    const operation = operations[name]
    const calls = await kinds[kind]?.()
    if (!operation || !calls) throw new Error('unknown')
    const before = stateOfCanaries()
    let hits = 0
    for (const swap of Object.values(swaps)) {
      for (let at = 0, steps = 1; at < steps; at++) {
        rmSync(target, { recursive: true })
        mkdirSync(target)
        if (me === 0) chownSync(target, attacker, attacker)
        operation.before?.(join(target, 'entry'))
        steps = runSwapped(calls, operation.run, at, () => {
          hits++
          swapAll(swap, undefined)
        })
        expect(stateOfCanaries(), `swapped at call ${String(at)}`).toEqual(before)
        // Moved ones go home, and with them what the swap made of the rest.
        putBack()
      }
    }
    expect(hits).toBeGreaterThanOrEqual(Object.keys(swaps).length)
  })
})

/** The canary that was moved is put back to where it can be moved from; the owner of the folder may also have lost it, which is theirs to do. */
function putBack(): void {
  const descriptor = canaries[1]?.descriptor ?? -1
  const { ino } = fstatSync(descriptor)
  const home = join(ground, 'loot', 'moved')
  const is = [target, join(ground, 'loot')].flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))).find((path) => lstatSync(path).ino === ino)
  if (is !== undefined) renameSync(is, join(ground, 'moved'))
  rmSync(join(ground, 'loot'), { recursive: true })
  mkdirSync(join(ground, 'loot'))
  if (is !== undefined) renameSync(join(ground, 'moved'), home)
  else {
    closeSync(descriptor)
    canaries[1] = makeCanary(home)
  }
}

it.runIf(me === 0)('writes nothing into a folder that was put in the place of one that it made', async () => {
  const calls = await loadSystemCalls()
  using folders = new TargetFolders(calls.openRoot(Buffer.from(target)), calls)
  const dresser = new Dresser(calls, true)
  const entries = new EntryWriter(folders, calls, dresser, true)
  expect(entries.makeFolder(folders.rootPlace(), 'private', true)).toBe('made')
  const place = entries.enterFolder(folders.rootPlace(), 'private', true, 0)
  // Somebody else's thread, which has not been there yet.
  using others = new TargetFolders(calls.openRoot(Buffer.from(target)), calls)
  using files = new FileWriter(others, calls, dresser)
  rmSync(join(target, 'private'), { recursive: true })
  // The number of a removed folder is often given to the next.
  mkdirSync(join(target, 'private'))
  chownSync(join(target, 'private'), attacker, attacker)
  expect(() => files.write(spec(place), Buffer.from('bytes'))).toThrow(expect.objectContaining({ code: 'unsafe-path' }))
  expect(readdirSync(join(target, 'private'))).toEqual([])
})

it.runIf(me === 0)('does not make zeros of a part that was taken away, nor goes on with somebody else\'s', async () => {
  const calls = await loadSystemCalls()
  using folders = new TargetFolders(calls.openRoot(Buffer.from(target)), calls)
  const root = folders.rootPlace()
  const dresser = new Dresser(calls, true)
  const entries = new EntryWriter(folders, calls, dresser, true)
  using files = new FileWriter(folders, calls, dresser)
  const file = spec(root, { part: entries.openPart(root, spec(root).temporary).part })
  files.writePart(file, 0, Buffer.from('by'))
  files.release(file)
  rmSync(join(target, file.temporary))
  expect(() => { files.writePart(file, 2, Buffer.from('tes')) }).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  writeFileSync(join(target, file.temporary), 'by\0\0\0')
  chownSync(join(target, file.temporary), attacker, attacker)
  expect(() => { files.writePart(file, 2, Buffer.from('tes')) }).toThrow(expect.objectContaining({ code: 'unsafe-path' }))
  expect(() => files.finish(file)).toThrow(expect.objectContaining({ code: 'unsafe-path' }))
  expect(readFileSync(join(target, file.temporary), 'utf8')).toBe('by\0\0\0')
  // A later run makes its own.
  expect(entries.openPart(root, file.temporary).continued).toBe(false)
  expect(lstatSync(join(target, file.temporary))).toMatchObject({ size: 0, uid: 0 })
})
