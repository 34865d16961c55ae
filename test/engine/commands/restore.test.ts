import { execFileSync } from 'node:child_process'
import {
  chmodSync, chownSync, closeSync, existsSync, ftruncateSync, linkSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync, writeSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RunFailed } from '../../../engine/commands/failure.ts'
import { runJob } from '../../../engine/commands/run.ts'
import type { RestoreJob } from '../../../engine/protocol/job.ts'
import { tornMode } from '../../../engine/target/file-spec.ts'
import { loadSystemCalls } from '../../../engine/target/system-calls.ts'
import { testFolder } from '../small-repository.ts'
import type { TestFolder } from '../small-repository.ts'
import { setModified } from '../target/set-modified.ts'
import { backUp, restoreJob, testContext } from './run-support.ts'
import { treeState } from './tree-state.ts'

const root = process.getuid?.() === 0

/** One of everything. */
function makeOddTree(at: string): void {
  mkdirSync(join(at, 'empty'), { recursive: true })
  writeFileSync(join(at, 'nothing'), '')
  writeFileSync(join(at, 'text'), 'words\n')
  writeFileSync(join(at, 'n'.repeat(255)), 'long name')
  writeFileSync(Buffer.concat([Buffer.from(`${at}/`), Buffer.from([0xff, 0xfe, 0x20, 0x0a])]), 'no UTF-8')
  writeFileSync(join(at, 'big'), pattern(9_000_000))
  linkSync(join(at, 'big'), join(at, 'big too'))
  symlinkSync('nowhere/at/all', join(at, 'dangling'))
  symlinkSync('/etc', join(at, 'absolute'))
  execFileSync('mkfifo', [join(at, 'pipe')])
  const sparse = openSync(join(at, 'sparse'), 'w')
  writeSync(sparse, 'begin', 0)
  writeSync(sparse, 'end', 20_000_000)
  ftruncateSync(sparse, 30_000_000)
  closeSync(sparse)
  mkdirSync(join(at, 'closed'))
  writeFileSync(join(at, 'closed', 'inside'), 'inside')
  chmodSync(join(at, 'closed', 'inside'), 0o4711)
  if (root) chownSync(join(at, 'closed', 'inside'), 1234, 4321)
  chmodSync(join(at, 'closed'), 0o555)
}

/** Bytes that no two chunks of share. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = 1
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[index] = state >>> 16
  }
  return bytes
}

async function restore(folder: TestFolder, target: string, options: Partial<RestoreJob> = {}) {
  return runJob(restoreJob(folder, target, options), testContext())
}

/** A folder with a source, a first backup of it, and a place to restore to. */
async function backedUp(fill: (source: string) => void) {
  const folder = await testFolder()
  const source = join(folder.path, 'source')
  mkdirSync(source, { recursive: true })
  fill(source)
  await backUp(folder, source)
  return { folder, source, target: join(folder.path, 'target'), copy: join(folder.path, 'target', 'source') }
}

describe('restore', () => {
  it('brings back everything: bytes, names, links, holes, modes, owners, times to the nanosecond', async () => {
    const { folder, source, target, copy } = await backedUp(makeOddTree)
    await using _ = folder
    const summary = await restore(folder, target)
    expect(summary).toMatchObject({ operation: 'restore', outcome: 'success', problems: 0 })
    expect(treeState(copy)).toEqual(treeState(source))
    expect(statSync(join(copy, 'sparse')).blocks * 512).toBeLessThan(5_000_000)
    expect((await loadSystemCalls()).exactTimes).toBe(true)
  })

  it('round-trips any tree of files and folders', async () => {
    const name = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..')
    const tree = fc.dictionary(name, fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.dictionary(name, fc.uint8Array({ maxLength: 300 }), { maxKeys: 5 })), { maxKeys: 8, noNullPrototype: false })
    await fc.assert(fc.asyncProperty(tree, async (entries) => {
      const { folder, source, target, copy } = await backedUp((at) => {
        for (const [entry, content] of Object.entries(entries)) {
          if (content instanceof Uint8Array) writeFileSync(join(at, entry), content)
          else {
            mkdirSync(join(at, entry), { recursive: true })
            for (const [inner, bytes] of Object.entries(content)) writeFileSync(join(at, entry, inner), bytes)
          }
        }
      })
      await using _ = folder
      await restore(folder, target)
      expect(treeState(copy)).toEqual(treeState(source))
    }), { numRuns: 8 })
  }, 60_000)

  it('restores only the paths asked for, and refuses one that is not there', async () => {
    const { folder, target, copy } = await backedUp((at) => {
      mkdirSync(join(at, 'a', 'b'), { recursive: true })
      for (const file of ['a/b/one', 'a/two', 'three']) writeFileSync(join(at, file), file)
    })
    await using _ = folder
    await restore(folder, target, { paths: [Buffer.from('source/a/b')] })
    expect(readdirSync(copy, { recursive: true }).map(String).toSorted()).toEqual(['a', 'a/b', 'a/b/one'])
    await expect(restore(folder, target, { paths: [Buffer.from('source/none')] })).rejects.toMatchObject({ code: 'not-found' })
  })

  it('leaves out what is asked for, but for what is asked for inside of that', async () => {
    const { folder, target, copy } = await backedUp((at) => {
      mkdirSync(join(at, 'a', 'b', 'c'), { recursive: true })
      for (const file of ['a/b/c/deep', 'a/b/one', 'a/two', 'three']) writeFileSync(join(at, file), file)
    })
    await using _ = folder
    const bytes = (...paths: string[]): Uint8Array[] => paths.map((path) => Buffer.from(`source${path}`))
    const restored = async (into: string, paths: Uint8Array[], except: Uint8Array[]): Promise<string[]> => {
      await restore(folder, `${target}-${into}`, { paths, except })
      return readdirSync(copy.replace(target, `${target}-${into}`), { recursive: true }).map(String).toSorted()
    }
    expect(await restored('all', [], bytes('/a/b'))).toEqual(['a', 'a/two', 'three'])
    expect(await restored('chosen', bytes('/a'), bytes('/a/two'))).toEqual(['a', 'a/b', 'a/b/c', 'a/b/c/deep', 'a/b/one'])
    expect(await restored('again', bytes('', '/a/b/c'), bytes('/a'))).toEqual(['a', 'a/b', 'a/b/c', 'a/b/c/deep', 'three'])
    expect(await restored('one', bytes('/a'), bytes('/a/two', '/a/b/c/deep'))).toEqual(['a', 'a/b', 'a/b/c', 'a/b/one'])
    await expect(restore(folder, target, { except: bytes('/none') })).rejects.toMatchObject({ code: 'not-found' })
  })

  it('leaves what is intact, and follows the overwrite rule for the rest', async () => {
    const { folder, source, target, copy } = await backedUp((at) => {
      for (const file of ['same', 'edited', 'hidden edit', 'touched']) writeFileSync(join(at, file), `${file} content`)
    })
    await using _ = folder
    await restore(folder, target)
    const again = await restore(folder, target)
    expect(again.files).toMatchObject({ found: 4, unchanged: 4, uploaded: 0 })
    const wanted = treeState(source)
    const original = lstatSync(join(copy, 'hidden edit'))
    writeFileSync(join(copy, 'edited'), 'something longer than before')
    writeFileSync(join(copy, 'hidden edit'), 'HIDDEN EDIT content'.slice(0, original.size))
    utimesSync(join(copy, 'touched'), 1, 1)
    await setModified(join(copy, 'hidden edit'), lstatSync(join(source, 'hidden edit'), { bigint: true }).mtimeNs)

    expect((await restore(folder, target, { overwrite: 'never' })).files).toMatchObject({ unchanged: 4, uploaded: 0 })
    expect(readFileSync(join(copy, 'edited'), 'utf8')).toBe('something longer than before')

    expect((await restore(folder, target, { overwrite: 'changed' })).files).toMatchObject({ unchanged: 3, uploaded: 1 })
    expect(readFileSync(join(copy, 'hidden edit'), 'utf8')).toContain('HIDDEN')

    expect((await restore(folder, target, { overwrite: 'always' })).files).toMatchObject({ unchanged: 3, uploaded: 1 })
    expect(treeState(copy)).toEqual(wanted)
  })

  it('goes on with half-written files and takes no byte twice', async () => {
    const { folder, source, target, copy } = await backedUp((at) => { writeFileSync(join(at, 'big'), pattern(12_000_000)) })
    await using _ = folder
    const whole = await restore(folder, join(folder.path, 'elsewhere'))
    const first = await breakOff(folder, target)
    const [part] = partsIn(copy)
    expect(partsIn(copy)).toHaveLength(1)
    expect(statSync(join(copy, part ?? '')).blocks * 512).toBeGreaterThan(1_000_000)
    const rest = await restore(folder, target)
    expect(rest.outcome).toBe('success')
    // The folders and the smaller objects of the repository are read by each run; the file's 12 MB are not.
    expect(first + rest.downloadedBytes).toBeLessThan(whole.downloadedBytes + 200_000)
    expect(rest.downloadedBytes).toBeLessThan(whole.downloadedBytes - 1_000_000)
    expect(treeState(copy)).toEqual(treeState(source))
  })

  it('compares contents where an earlier run did not come to its end', async () => {
    const { folder, source, target, copy } = await backedUp((at) => {
      writeFileSync(join(at, 'big'), pattern(12_000_000))
      writeFileSync(join(at, 'small'), 'as it should be')
    })
    await using _ = folder
    // What a loss of power leaves: size and time are right, the bytes are not.
    const loseBytes = async (): Promise<void> => {
      writeFileSync(join(copy, 'small'), Buffer.alloc('as it should be'.length))
      await setModified(join(copy, 'small'), lstatSync(join(source, 'small'), { bigint: true }).mtimeNs)
    }
    await restore(folder, target)
    rmSync(join(copy, 'big'))
    await breakOff(folder, target)
    await loseBytes()
    await restore(folder, join(folder.path, 'elsewhere'))
    await restore(folder, target)
    expect(treeState(copy)).toEqual(treeState(source))
    await loseBytes()
    expect((await restore(folder, target)).files).toMatchObject({ unchanged: 2 })
  })

  it('replaces a file that an interrupted run left torn under its own name, whatever the overwrite rule', async () => {
    const { folder, source, target, copy } = await backedUp((at) => {
      writeFileSync(join(at, 'big'), pattern(12_000_000))
      writeFileSync(join(at, 'small'), 'as it should be')
      writeFileSync(join(at, 'mine'), 'of the snapshot')
    })
    await using _ = folder
    await restore(folder, target)
    rmSync(join(copy, 'big'))
    await breakOff(folder, target)
    rmSync(join(copy, 'small'))
    writeFileSync(join(copy, 'small'), 'as it', { mode: tornMode })
    writeFileSync(join(copy, 'mine'), 'of the user')
    await restore(folder, target, { overwrite: 'never' })
    expect(readFileSync(join(copy, 'small'), 'utf8')).toBe('as it should be')
    expect(readFileSync(join(copy, 'mine'), 'utf8')).toBe('of the user')
    await restore(folder, target)
    expect(treeState(copy)).toEqual(treeState(source))
  })

  it('takes away half-written files of earlier runs, and nothing that is only named so', async () => {
    const named = `.holdfast-${'a'.repeat(20)}.part`
    const { folder, source, target, copy } = await backedUp((at) => {
      writeFileSync(join(at, 'file'), 'file')
      writeFileSync(join(at, named), 'named so')
    })
    await using _ = folder
    await restore(folder, target)
    const leftover = join(copy, `.holdfast-${'b'.repeat(20)}.part`)
    writeFileSync(leftover, 'left over')
    utimesSync(leftover, 1, 1)
    await restore(folder, target, { paths: [Buffer.from('source/file')] })
    expect(existsSync(leftover)).toBe(true)
    await restore(folder, target)
    expect(treeState(copy)).toEqual(treeState(source))
    expect(existsSync(leftover)).toBe(false)
  })

  it('never writes through a symlink inside the target', async () => {
    const { folder, source, target, copy } = await backedUp((at) => {
      mkdirSync(join(at, 'inner'))
      writeFileSync(join(at, 'inner', 'file'), 'secret plans')
      writeFileSync(join(at, 'other'), 'other')
    })
    await using _ = folder
    const outside = join(folder.path, 'outside')
    mkdirSync(outside)
    mkdirSync(copy, { recursive: true })
    writeFileSync(join(folder.path, 'victim'), 'victim')
    symlinkSync(outside, join(copy, 'inner'))
    symlinkSync(join(folder.path, 'victim'), join(copy, 'other'))

    const kept = await restore(folder, target, { overwrite: 'never' })
    expect(kept).toMatchObject({ outcome: 'warnings', firstProblems: [{ code: 'not-restored', path: 'source/inner' }] })
    await restore(folder, target)
    expect(readdirSync(outside)).toEqual([])
    expect(readFileSync(join(folder.path, 'victim'), 'utf8')).toBe('victim')
    expect(treeState(copy)).toEqual(treeState(source))
  })

  it('does not fill a hard link that stands in the place of a half-written file', async () => {
    const { folder, copy, target } = await backedUp((at) => { writeFileSync(join(at, 'big'), pattern(12_000_000)) })
    await using _ = folder
    await breakOff(folder, target)
    const [part] = partsIn(copy)
    rmSync(join(copy, part ?? ''))
    writeFileSync(join(folder.path, 'victim'), 'victim')
    linkSync(join(folder.path, 'victim'), join(copy, part ?? ''))
    await restore(folder, target)
    expect(readFileSync(join(folder.path, 'victim'), 'utf8')).toBe('victim')
  })

  it('names what a damaged pack costs and restores the rest', async () => {
    const { folder, target, copy } = await backedUp((at) => {
      writeFileSync(join(at, 'first'), pattern(3_000_000))
      writeFileSync(join(at, 'second'), pattern(3_000_001).subarray(1_000_000))
    })
    await using _ = folder
    const packs = join(folder.repository, 'packs')
    const [largest] = readdirSync(packs, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)).toSorted((a, b) => statSync(b).size - statSync(a).size)
    chmodSync(largest ?? '', 0o600)
    const bytes = readFileSync(largest ?? '')
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    writeFileSync(largest ?? '', bytes)
    const summary = await restore(folder, target)
    expect(summary.outcome).toBe('warnings')
    expect(summary.firstProblems[0]).toMatchObject({ code: 'damaged' })
    expect(summary.problems + summary.files.uploaded).toBe(2)
    expect(readdirSync(copy).filter((name) => name.startsWith('.holdfast'))).toEqual([])
  })

  it('says so when the target cannot be a folder', async () => {
    const { folder, target } = await backedUp((at) => { writeFileSync(join(at, 'file'), 'x') })
    await using _ = folder
    writeFileSync(target, 'a file')
    await expect(restore(folder, target)).rejects.toMatchObject({ code: 'arguments' })
    await expect(restore(folder, '/proc/restored')).rejects.toMatchObject({ code: 'denied' })
  })
})

/** A restore that fails in the middle: the storage refuses the fourth piece of a pack. The result is what it downloaded. */
async function breakOff(folder: TestFolder, target: string): Promise<number> {
  // The first piece of all is the folder's contents.
  const repository = `faulty+file://${folder.repository}?fault.rule=get,before,prefix=packs/,skip=4,code=denied`
  const error: unknown = await restore(folder, target, { repository, concurrency: 1 }).catch((reason: unknown) => reason)
  if (!(error instanceof RunFailed)) throw new Error('the restore was to fail', { cause: error })
  expect(error.code).toBe('denied')
  return error.summary.downloadedBytes
}

function partsIn(path: string): string[] {
  return readdirSync(path).filter((name) => name.endsWith('.part'))
}
