import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const at = (path: string): string => JSON.stringify(new URL(`../../../engine/${path}`, import.meta.url).href)

/** Ends pools 1, 2, 3 … ms after their first job, which makes the threads load the C library's calls. */
const program = (folder: string, ends: number): string => `
  const { setTimeout: wait } = await import('node:timers/promises')
  const { WorkerPool } = await import(${at('pipeline/worker-pool.ts')})
  const { SlabPool } = await import(${at('pipeline/slab-pool.ts')})
  const { deriveKeys } = await import(${at('repository/keys.ts')})
  const { statWidth } = await import(${at('pipeline/file-reader.ts')})
  const setup = {
    slabs: new SlabPool(2, new AbortController().signal, 1 << 20).slabs, keys: deriveKeys(new Uint8Array(32)), spoolFolder: ${JSON.stringify(folder)},
    chunker: { minBytes: 4096, averageBytes: 16384, maxBytes: 65536 }, compressionLevel: 1,
  }
  const job = () => ({ type: 'files', slab: 0, addresses: ${JSON.stringify(join(folder, 'file'))}, stats: new BigInt64Array(statWidth) })
  const warm = new WorkerPool(setup, 1)
  const startedMs = performance.now()
  const first = await warm.run(job())
  const takesMs = performance.now() - startedMs
  await warm[Symbol.asyncDispose]()
  const endings = []
  for (let round = 0; round < ${ends}; round++) {
    const pool = new WorkerPool(setup, 2)
    const jobs = [pool.run(job()), pool.run(job()), pool.run(job()), pool.run(job())].map((each) => each.then(() => 'done', ({ code }) => code))
    await wait(takesMs * round / ${ends})
    await pool[Symbol.asyncDispose]()
    endings.push(...await Promise.all(jobs))
  }
  console.log(first.type, [...new Set(endings)].filter((ending) => ending !== 'done').join())`

test('threads that are ended at any moment take nothing with them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-pool-'))
  writeFileSync(join(folder, 'file'), 'content')
  writeFileSync(join(folder, 'program.mjs'), program(folder, 80))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, 'program.mjs')])
  rmSync(folder, { recursive: true })
  expect([stdout, stderr]).toEqual(['files aborted\n', ''])
}, 90_000)
