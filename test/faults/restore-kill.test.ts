import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeCorpus } from '../bench/corpus.ts'
import { SeededRandom } from '../bench/random.ts'
import { describeTree, makeOddTree } from '../fixtures/tree.ts'

const run = promisify(execFile)
const cli = join(import.meta.dirname, '../../dist/engine/cli.js')
const kills = 10
/** Ranges in flight or waiting for a thread when a run dies: concurrency 1 and two more, up to 2 MiB each. */
const lostPerKill = 3 * 2 * 1024 * 1024

const transferSchema = v.looseObject({ type: v.literal('transfer'), state: v.literal('done'), direction: v.literal('down'), bytes: v.number() })
const summarySchema = v.looseObject({ type: v.literal('summary'), outcome: v.string(), uploadedBytes: v.number(), downloadedBytes: v.number() })

let folder: string
let env: NodeJS.ProcessEnv

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-restore-kill-'))
  env = { ...process.env, HOLDFAST_REPO: join(folder, 'repository'), HOLDFAST_PASSWORD: 'password', HOLDFAST_HOME: join(folder, 'home') }
})

afterEach(() => { rmSync(folder, { recursive: true }) })

async function holdfast(...args: readonly string[]): Promise<v.InferOutput<typeof summarySchema>> {
  const { stdout } = await run(process.execPath, [cli, ...args, '--json'], { env, maxBuffer: 1 << 26 })
  return v.parse(summarySchema, JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''))
}

/**
 * Starts a restore and kills it once it has told of `ranges` ranges that arrived (0: with its first word), unless it ends before.
 * @returns what it had downloaded, and whether it was hit.
 */
async function killedRestore(target: string, ranges: number): Promise<{ readonly bytes: number; readonly killed: boolean }> {
  const child = spawn(process.execPath, [cli, 'restore', 'latest', '--to', target, '--concurrency', '1', '--json'], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const closed = once(child, 'close')
  let bytes = 0
  let arrived = 0
  for await (const line of createInterface(child.stdout)) {
    const event = v.safeParse(transferSchema, parsedLine(line))
    if (event.success) {
      bytes += event.output.bytes
      arrived++
    }
    if (arrived >= ranges) child.kill('SIGKILL')
  }
  const [, signal] = await closed as [number | null, string | null]
  return { bytes, killed: signal === 'SIGKILL' }
}

/** What a line says; a line that was cut by the kill says nothing. */
function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

test(`a restore killed at ${String(kills)} random points goes on, downloads little twice and leaves nothing behind`, async () => {
  const source = join(folder, 'source')
  const target = join(folder, 'target')
  makeCorpus('A', source, 0.4, 11)
  makeOddTree(join(source, 'odd'))
  await holdfast('init')
  const { uploadedBytes } = await holdfast('backup', source, '--job', 'photos')
  const random = new SeededRandom(77)
  let downloaded = 0
  let hits = 0
  for (let cycle = 0; hits < kills && cycle < 2 * kills; cycle++) {
    const { bytes, killed } = await killedRestore(target, cycle % 4 === 0 ? 0 : 5 + random.below(10))
    downloaded += bytes
    if (killed) hits++
  }
  expect(hits, 'kills that hit a running restore').toBe(kills)
  // A restore that begins anew each time exceeds the bound below.
  expect(downloaded, 'what the killed ones downloaded').toBeGreaterThan(hits * (lostPerKill + 1_000_000))
  const last = await holdfast('restore', 'latest', '--to', target)
  downloaded += last.downloadedBytes
  expect(last.outcome).toBe('success')
  expect(describeTree(join(target, 'source'))).toEqual(describeTree(source))
  expect(readdirSync(target)).toEqual(['source'])
  expect(downloaded).toBeLessThan(uploadedBytes + hits * (lostPerKill + 1_000_000))
})
