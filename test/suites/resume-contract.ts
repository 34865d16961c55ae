import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Body, StorageBackend, UploadJournal } from '../../engine/backend/backend.ts'
import { fixedCredentials, type Credentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import { codeOf, names } from './backend-contract.ts'

/** A storage whose puts go on where they stopped. */
export interface ResumableStorage extends AsyncDisposable {
  readonly address: string
  readonly credentials: Credentials
  /** What a process needs to find a stand-in: HOLDFAST_SERVICE_… */
  readonly environment?: Readonly<Record<string, string>>
  /** So much may be sent again: what was on its way when an upload stopped (a part, a range, a buffer). */
  readonly stepBytes: number
}

const never = new AbortController().signal
const mebibyte = 1024 * 1024
const size = 44 * mebibyte
type FileBody = Extract<Body, { type: 'file' }>

/**
 * What an interrupted put of a file leaves is not sent again (E1). Each test looks at what the backend asks leave to send (its pace), which
 * is what goes to the network.
 */
export function resumeContract(name: string, make: () => Promise<ResumableStorage>): void {
  describe(`${name}: interrupted uploads`, () => {
    let storage: ResumableStorage
    let folder: string
    let file: FileBody
    let entries: Map<string, string>

    const open = async (journal = true): Promise<StorageBackend> => {
      const uploadJournal: UploadJournal = {
        get: (one) => entries.get(one), set: (one, state) => { entries.set(one, state) }, delete: (one) => { entries.delete(one) },
      }
      return openBackend(storage.address, { credentials: fixedCredentials(storage.credentials), signal: never, ...(journal ? { uploadJournal } : {}) })
    }
    const fileOf = async (bytes: Buffer): Promise<FileBody> => {
      const path = join(folder, randomBytes(8).toString('hex'))
      await writeFile(path, bytes)
      return { type: 'file', path, size: bytes.length, crc32: crc32(bytes) }
    }
    /** Stops once `bytes` are acknowledged; resolves to how many were. */
    const begin = async (backend: StorageBackend, object: string, bytes: number, body = file): Promise<number> => {
      const controller = new AbortController()
      let acknowledged = 0
      const onProgress = (sent: number): void => {
        acknowledged = sent
        if (sent >= bytes) controller.abort()
      }
      expect(await codeOf(backend.put(object, body, { once: true, onProgress }, controller.signal))).toBe('aborted')
      return acknowledged
    }
    /** Puts the whole file; resolves to how many bytes were sent for it. */
    const finish = async (backend: StorageBackend, object: string, body = file): Promise<number> => {
      let paced = 0
      const progress: number[] = []
      const pace = (bytes: number): undefined => { paced += bytes }
      await backend.put(object, body, { once: true, pace, onProgress: (sent) => progress.push(sent) }, never)
      expect(progress.at(-1)).toBe(body.size)
      return paced
    }
    const expectObject = async (backend: StorageBackend, object: string, body = file): Promise<void> => {
      expect(Buffer.compare(await backend.get(object, 'all', never), readFileSync(body.path))).toBe(0)
      expect(entries.size).toBe(0)
    }

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'holdfast-resume-'))
      storage = await make()
      Object.assign(process.env, storage.environment)
      entries = new Map()
      file = await fileOf(Buffer.alloc(size, randomBytes(8191)))
    })

    afterAll(async () => {
      for (const variable of Object.keys(storage.environment ?? {})) Reflect.deleteProperty(process.env, variable)
      await storage[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    })

    test('says that it resumes, where it has a journal', async () => {
      await using backend = await open()
      await using without = await open(false)
      expect([backend.traits.resumable, without.traits.resumable]).toEqual([true, false])
    })

    test('a cancelled upload shows nothing, and another client goes on where it stopped', async () => {
      let acknowledged: number
      {
        await using first = await open()
        acknowledged = await begin(first, 'packs/cancelled', size / 2)
        expect(acknowledged).toBeGreaterThanOrEqual(size / 2)
        expect(await names(first, 'packs/')).toEqual([])
      }
      await using second = await open()
      expect(await finish(second, 'packs/cancelled')).toBeLessThanOrEqual(size - acknowledged + storage.stepBytes)
      await expectObject(second, 'packs/cancelled')
    })

    test('after a kill -9 another process goes on where it stopped', async () => {
      const journal = join(folder, 'journal.json')
      writeFileSync(journal, '[]')
      const killAtBytes = size / 2
      const child = spawn(process.execPath, [join(import.meta.dirname, 'put-process.ts')], { env: { ...process.env, ...storage.environment }, stdio: ['pipe', 'ignore', 'inherit'] })
      child.stdin.end(JSON.stringify({ address: storage.address, credentials: storage.credentials, name: 'packs/killed', file, journal, killAtBytes }))
      expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
      entries = new Map(JSON.parse(readFileSync(journal, 'utf8')) as [string, string][])
      await using backend = await open()
      expect(await names(backend, 'packs/killed')).toEqual([])
      expect(await finish(backend, 'packs/killed')).toBeLessThanOrEqual(size - killAtBytes + storage.stepBytes)
      await expectObject(backend, 'packs/killed')
    })

    test('another file under the name begins anew, or gives the name up (R5); it is never mixed', async () => {
      await using backend = await open()
      await begin(backend, 'packs/other', size / 4)
      const other = await fileOf(Buffer.alloc(size, randomBytes(8191)))
      const code = await codeOf(backend.put('packs/other', other, { once: true }, never))
      expect(['done', 'unavailable', 'damaged']).toContain(code)
      if (code === 'done') await expectObject(backend, 'packs/other', other)
      else {
        expect(entries.size).toBe(0)
        expect(await names(backend, 'packs/other')).toEqual([])
      }
    })

    test.each(['', 'null', '{}', '{"version":9', '[1,2,3]', '{"version":1,"uploadId":"no such upload","size":-1}', 'x'.repeat(5000)])('a journal entry that makes no sense (%#) begins anew', async (entry) => {
      await using backend = await open()
      const small = await fileOf(randomBytes(10 * mebibyte))
      entries.set('packs/nonsense', entry)
      await finish(backend, 'packs/nonsense', small)
      await expectObject(backend, 'packs/nonsense', small)
    })

    test('what stale uploads hold is cleared, and the names stay usable under other attempts', async () => {
      await using backend = await open()
      await begin(backend, 'packs/stale', size / 4)
      await backend.abortStaleUploads?.(-60_000, never)
      const code = await codeOf(backend.put('packs/stale', file, { once: true }, never))
      expect(['done', 'unavailable']).toContain(code)
      expect(entries.size).toBe(0)
      expect(await names(backend, 'packs/stale')).toEqual(code === 'done' ? ['packs/stale'] : [])
    })

    test('without a journal a cancelled upload leaves nothing that a later one could trip over', async () => {
      await using backend = await open(false)
      await begin(backend, 'packs/none', size / 4)
      expect(await names(backend, 'packs/none')).toEqual([])
      await backend.put('packs/none', file, { once: true }, never)
      await expectObject(backend, 'packs/none')
    })
  })
}
