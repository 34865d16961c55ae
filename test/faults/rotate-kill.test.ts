import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SeededRandom } from '../bench/random.ts'
import { initCheaply } from '../fixtures/cheap-repository.ts'
import { describeTree } from '../fixtures/tree.ts'

const run = promisify(execFile)
const cli = join(import.meta.dirname, '../../engine/cli.ts')
const jobs = ['photos', 'music'] as const
const megabyte = 1_000_000
/** In lines of output: when the place is tried, when the key is there, in mid-copy of several snapshots, and in the last look at all. */
const moments = [12, 20, 28, 75, 130, 180, 230, 280]

let folder: string
let old: string
let made: string
let env: NodeJS.ProcessEnv

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-rotate-kill é '))
  old = join(folder, 'old repository')
  made = join(folder, 'new repository')
  env = { ...process.env, HOLDFAST_FROM_PASSWORD: 'the old one', HOLDFAST_PASSWORD: 'quite another', HOLDFAST_HOME: join(folder, 'home') }
})

afterEach(() => { rmSync(folder, { recursive: true }) })

async function holdfast(repository: string, ...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const password = repository === old ? 'the old one' : 'quite another'
  const { stdout } = await run(process.execPath, [cli, ...args, '--json'], { env: { ...env, HOLDFAST_PASSWORD: password, HOLDFAST_REPO: repository }, maxBuffer: 1 << 26 })
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Readonly<Record<string, unknown>>
}

/** Objects that the new one has, and their bytes. */
function arrived(): { readonly objects: number; readonly bytes: number } {
  if (!existsSync(made)) return { objects: 0, bytes: 0 }
  const sizes = readdirSync(made, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.parentPath.includes('/.')).map((entry) => statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0)
  return { objects: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

/** Starts a rotation and kills it with its n-th line of output, unless it ends before. */
async function dies(lines: number): Promise<'killed' | 'ended'> {
  const slow = `faulty+file://${encodeURI(made)}?fault.rule=${encodeURIComponent('put,slow,bytesPerSecond=5000000')}`
  const child = spawn(process.execPath, [cli, 'key', 'rotate', '--from', old, '--to', slow, '--verbose', '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let seen = 0
  createInterface(child.stdout).on('line', () => {
    if (++seen >= lines) child.kill('SIGKILL')
  })
  const [, signal] = await once(child, 'exit') as [number | null, string | null]
  return signal === 'SIGKILL' ? 'killed' : 'ended'
}

test('a rotation that is killed anywhere goes on with the same command, sends nothing twice, and ends with everything restored as it was', async () => {
  await initCheaply(old, 'the old one')
  const random = new SeededRandom(11)
  for (let cycle = 0; cycle < 3; cycle++) {
    for (const job of jobs) {
      mkdirSync(join(folder, job, `Ordner ${cycle}`), { recursive: true })
      for (let file = 0; file < 6; file++) writeFileSync(join(folder, job, `Ordner ${cycle}`, `${file}`), random.bytes(3 * megabyte))
      await holdfast(old, 'backup', join(folder, job), '--job', job, '--host', 'desk')
    }
  }
  let killed = 0
  for (const lines of moments) if (await dies(lines) === 'killed') killed++
  expect(killed).toBe(moments.length)
  const before = arrived()
  const last = await holdfast(made, 'key', 'rotate', '--from', old, '--to', made, '--read-data')
  expect(last).toMatchObject({ outcome: 'success', snapshots: 6, missing: [], check: { outcome: 'success' } })
  const whole = arrived().bytes
  expect((last['sync'] as { uploadedBytes: number }).uploadedBytes, 'sent at last').toBeLessThan(whole - before.bytes + megabyte)
  expect(whole, 'no piece is there twice').toBeLessThan(108 * megabyte * 1.03)
  for (const job of jobs) {
    await holdfast(made, 'restore', `latest:desk/${job}`, '--to', join(folder, 'restored', job))
    expect(describeTree(join(folder, 'restored', job, job))).toEqual(describeTree(join(folder, job)))
  }
  expect(await holdfast(old, 'check', '--read-data')).toMatchObject({ outcome: 'success' })
}, 1_200_000)
