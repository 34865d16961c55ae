import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { FileSpec } from '../../../engine/target/file-spec.ts'
import { loadSystemCalls } from '../../../engine/target/system-calls.ts'
import { WriterPool } from '../../../engine/target/writer-pool.ts'

const calls = await loadSystemCalls()
let root: string

beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'holdfast-pool-')) })
afterEach(() => { rmSync(root, { recursive: true }) })

function emptyFile(name: string): FileSpec {
  return { folder: { path: '', device: 0n, inode: 0n, owners: [0, 0] }, name, temporary: `${name}.part`, size: 0, mode: 0o600, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mtimeNs: 1n, sparse: false, direct: false }
}

function openPool(threads: number): WriterPool {
  return new WriterPool({ root: calls.openRoot(Buffer.from(root)), asRoot: false, packsKey: new Uint8Array(32), blobIdKey: new Uint8Array(32) }, threads)
}

it('does what it was given before its threads end', async () => {
  const pool = openPool(2)
  const answers = Array.from({ length: 200 }, (_, index) => pool.run({ type: 'finish', files: [emptyFile(`file-${String(index)}`)] }))
  await pool[Symbol.asyncDispose]()
  expect(await Promise.all(answers)).toEqual(answers.map(() => ({ failures: [], losses: [] })))
  expect(readdirSync(root)).toHaveLength(200)
})

it('takes no task after its end', async () => {
  const pool = openPool(1)
  await pool[Symbol.asyncDispose]()
  await expect(pool.run({ type: 'finish', files: [] })).rejects.toMatchObject({ code: 'internal' })
})
