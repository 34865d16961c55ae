import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fixedCredentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import { SeededRandom } from '../bench/random.ts'
import { describeTree } from '../fixtures/tree.ts'
import { freshBucket, type S3Bucket } from '../servers/s3.ts'
import { never } from './template.ts'

const run = promisify(execFile)
const cli = join(import.meta.dirname, '../../engine/cli.ts')
const jobs = ['photos', 'music'] as const
const kills = 4
const megabyte = 1_000_000

let folder: string
let bucket: S3Bucket | undefined
let env: NodeJS.ProcessEnv
/** Addresses. */
let source: string
let copy: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-sync-kill é '))
  source = join(folder, 'source repository')
  env = { ...process.env, HOLDFAST_FROM_PASSWORD: 'one', HOLDFAST_PASSWORD: 'two', HOLDFAST_HOME: join(folder, 'home') }
})

afterEach(() => {
  rmSync(folder, { recursive: true })
  bucket?.client.destroy()
  bucket = undefined
})

interface Summary {
  readonly outcome: string
  readonly details: { readonly readBytes: number; readonly sentBytes: number }
}

async function holdfast(repository: string, ...args: readonly string[]): Promise<Summary> {
  const password = repository === source ? 'one' : 'two'
  const { stdout } = await run(process.execPath, [cli, ...args, '--json'], {
    env: { ...env, HOLDFAST_PASSWORD: password, HOLDFAST_REPO: repository }, maxBuffer: 1 << 26,
  }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 1 && 'stdout' in error && typeof error.stdout === 'string') return { stdout: error.stdout }
    throw error
  })
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Summary
}

/** A destination that is slow enough to be hit in the middle. */
function slow(address: string): string {
  return `faulty+${address}${address.includes('?') ? '&' : '?'}fault.rule=${encodeURIComponent('put,slow,prefix=packs/,bytesPerSecond=20000000')}`
}

/** A sync of the real command line that is killed when so many packs have arrived in this run, unless it ends before. */
async function dies(packs: number): Promise<'killed' | 'ended'> {
  const child = spawn(process.execPath, [cli, 'sync', '--from', source, '--to', slow(copy), '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const arrived = new Set<string>()
  createInterface(child.stdout).on('line', (line) => {
    for (const [, name = ''] of line.matchAll(/"direction":"up","name":"(pack [^"]*)"[^}]*"state":"done"/g)) arrived.add(name)
    if (arrived.size >= packs) child.kill('SIGKILL')
  })
  const [, signal] = await once(child, 'exit') as [number | null, string | null]
  return signal === 'SIGKILL' ? 'killed' : 'ended'
}

async function packs(address: string): Promise<Map<string, number>> {
  await using backend = await openBackend(address, { credentials: fixedCredentials({ ...bucket?.secrets }), signal: never })
  const found = new Map<string, number>()
  for await (const { name, size } of backend.list('packs/', never)) found.set(name, size)
  return found
}

function total(sizes: ReadonlyMap<string, number>): number {
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

test.each(['a folder', 'S3'] as const)(`a sync to %s that is killed again and again neither sends nor reads twice what has arrived, and its copies are whole`, async (storage) => {
  if (storage === 'S3') bucket = await freshBucket()
  copy = bucket ? bucket.url('copy') : join(folder, 'copy')
  env = { ...env, ...bucket?.environment }
  await holdfast(source, 'init')
  await holdfast(copy, 'init')
  const random = new SeededRandom(7)
  let killed = 0
  for (let cycle = 0; killed < kills; cycle++) {
    expect(cycle).toBeLessThan(4 * kills)
    for (const job of jobs) {
      mkdirSync(join(folder, job, `Ordner ${cycle}`), { recursive: true })
      for (let file = 0; file < 6; file++) writeFileSync(join(folder, job, `Ordner ${cycle}`, `${file}`), random.bytes(3 * megabyte))
      await holdfast(source, 'backup', join(folder, job), '--job', job)
    }
    const before = await packs(copy)
    if (await dies(1 + (cycle % 3)) === 'killed') killed++
    for (const [name, size] of before) expect((await packs(copy)).get(name), `${name} of an earlier run`).toBe(size)
  }
  const arrived = await packs(copy)
  expect(arrived.size).toBeGreaterThan(0)
  const last = await holdfast(copy, 'sync', '--from', source, '--to', copy)
  const final = await packs(copy)
  const grown = total(final) - total(arrived)
  expect(last.details.sentBytes, 'sent').toBeLessThan(grown + megabyte)
  expect(last.details.readBytes, 'read').toBeLessThan(grown + 4 * megabyte)
  expect(total(final), 'no piece is there twice').toBeLessThan(total(await packs(source)) * 1.02)
  await holdfast(copy, 'check', '--read-data')
  await holdfast(source, 'check', '--read-data')
  for (const job of jobs) {
    await holdfast(copy, 'restore', `latest:${job}`, '--to', join(folder, 'restored', job))
    expect(describeTree(join(folder, 'restored', job, job))).toEqual(describeTree(join(folder, job)))
  }
}, 1_200_000)
