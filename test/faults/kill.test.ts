import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fixedCredentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import { makeCorpus } from '../bench/corpus.ts'
import { SeededRandom } from '../bench/random.ts'
import { describeTree, makeOddTree } from '../fixtures/tree.ts'
import { freshBucket, type S3Bucket } from '../servers/s3.ts'
import { never } from './template.ts'

const run = promisify(execFile)
const cli = join(import.meta.dirname, '../../dist/engine/cli.js')

let folder: string
let bucket: S3Bucket | undefined
let env: NodeJS.ProcessEnv

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-kill-'))
  env = { ...process.env, HOLDFAST_PASSWORD: 'password', HOLDFAST_HOME: join(folder, 'home') }
})

afterEach(() => {
  rmSync(folder, { recursive: true })
  bucket?.client.destroy()
  bucket = undefined
})

/** From now on the commands work on this repository. */
function use(name: string): void {
  env = { ...env, ...bucket?.environment, HOLDFAST_REPO: bucket ? bucket.url(name) : join(folder, name) }
}

interface Summary {
  readonly type: string
  readonly outcome: string
  readonly uploadedBytes: number
}

/** Exit code 0, or 1: a run that was to be killed may have ended before, so that nothing has changed since. */
async function holdfast(...args: readonly string[]): Promise<Summary> {
  const { stdout } = await run(process.execPath, [cli, ...args, '--json'], { env, maxBuffer: 1 << 26 }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 1 && 'stdout' in error && typeof error.stdout === 'string') return { stdout: error.stdout }
    throw error
  })
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Summary
}

/** What a run is killed after: its start, or the first word of a pack that is under way or through. */
const moments = [undefined, '"state":"active"', '"state":"done"'] as const

/** Starts a backup and kills it some time after that, unless it ends before. */
async function killedBackup(source: string, moment: (typeof moments)[number], delayMs: number): Promise<'killed' | 'ended'> {
  const child = spawn(process.execPath, [cli, 'backup', source, '--job', 'photos', '--json'], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  let timer: NodeJS.Timeout | undefined
  const begin = (): void => { timer ??= setTimeout(() => { child.kill('SIGKILL') }, delayMs) }
  if (moment === undefined) begin()
  child.stdout.setEncoding('utf8').on('data', (text: string) => { if (moment !== undefined && text.includes(moment)) begin() })
  const [, signal] = await once(child, 'exit') as [number | null, string | null]
  clearTimeout(timer)
  return signal === 'SIGKILL' ? 'killed' : 'ended'
}

/** Sizes of the packs in the repository by name. */
async function packs(): Promise<Map<string, number>> {
  await using backend = await openBackend(env['HOLDFAST_REPO'] ?? '', { credentials: fixedCredentials({ ...bucket?.secrets }), signal: never })
  const found = new Map<string, number>()
  for await (const { name, size } of backend.list('packs/', never)) found.set(name, size)
  return found
}

function total(sizes: Map<string, number>): number {
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

const storages = [{ storage: 'a folder', kills: 20 }, { storage: 'S3', kills: 8 }] as const

test.each(storages)('a backup to $storage, killed at $kills random points, loses nothing and sends no pack twice', async ({ storage, kills }) => {
  if (storage === 'S3') bucket = await freshBucket()
  use('repository')
  const source = join(folder, 'source')
  makeCorpus('A', source, 0.08, 7)
  makeOddTree(join(source, 'odd'))
  await holdfast('init')
  const random = new SeededRandom(2026)
  let killed = 0
  for (let cycle = 0; killed < kills && cycle < 6 * kills; cycle++) {
    // Something to store for each, however far the ones before have come.
    writeFileSync(join(source, `new-${cycle}`), random.bytes(2_000_000))
    const before = await packs()
    const moment = moments[cycle % moments.length]
    if (await killedBackup(source, moment, random.below(moment === undefined ? 960 : 100)) === 'killed') killed++
    const after = await packs()
    for (const [name, size] of before) expect(after.get(name), `${name} of an earlier run`).toBe(size)
  }
  expect(killed, 'kills that hit a running backup').toBe(kills)
  const arrived = await packs()
  expect(arrived.size, 'packs that arrived before their run was killed').toBeGreaterThan(0)
  const last = await holdfast('backup', source, '--job', 'photos')
  const final = await packs()
  expect(last.outcome).not.toBe('failed')
  const grown = total(final) - total(arrived)
  expect(last.uploadedBytes, 'the last run sends only what had not arrived').toBeLessThan(grown + 1_000_000)
  await holdfast('check', '--read-data')
  await holdfast('restore', 'latest', '--to', join(folder, 'restored'))
  expect(describeTree(join(folder, 'restored', 'source'))).toEqual(describeTree(source))

  // A repository that was written in one go tells how much there is to store: nothing may be stored twice beyond partly filled packs.
  use('undisturbed')
  await holdfast('init')
  const undisturbed = await holdfast('backup', source, '--job', 'photos')
  expect(total(final)).toBeLessThan(undisturbed.uploadedBytes * 1.1)
})
