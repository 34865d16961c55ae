import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fixedCredentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import { HoldfastError } from '../../engine/base/errors.ts'
import { RunFailed } from '../../engine/commands/failure.ts'
import { runJob } from '../../engine/commands/run.ts'
import type { BackupJob, RestoreJob } from '../../engine/protocol/job.ts'
import type { RunSummary } from '../../engine/protocol/progress.ts'
import { SeededRandom } from '../bench/random.ts'
import { describeTree } from '../fixtures/tree.ts'
import { World } from '../fixtures/world.ts'
import { freshBucket } from '../servers/s3.ts'
import { FaultProxy, type HttpFault, type ProxiedRequest } from './proxy.ts'
import { initCheaply } from '../fixtures/cheap-repository.ts'
import { fastClock, never, open } from './template.ts'

const mebibyte = 1024 * 1024
const packBytes = 16 * mebibyte
let world: World
let names = 0

beforeEach(async () => {
  world = new World(`memory:interruptions-${++names}`)
  await initCheaply(world.repository, world.password)
})

afterEach(async () => {
  world[Symbol.dispose]()
  if (!world.repository.startsWith('memory:')) return
  await using backend = await open(world.repository)
  for await (const { name } of backend.list('', never)) await backend.remove(name, never)
})

/** Files that nothing compresses or shares. */
function fill(files: number, bytes: number): void {
  const random = new SeededRandom(files)
  for (let index = 0; index < files; index++) writeFileSync(join(world.source, `file-${index}`), random.bytes(bytes))
}

function backupJob(repository = world.repository): BackupJob {
  return {
    ...world.common, type: 'backup', repository, name: 'photos', sources: [world.source], dryRun: false, onFailure: 'cancel', verify: false,
    excludes: { patterns: [], presets: [], oneFileSystem: false },
  }
}

async function summaryOf(run: Promise<RunSummary>): Promise<RunSummary & { readonly code?: string }> {
  try {
    return await run
  } catch (error) {
    if (error instanceof RunFailed) return { ...error.summary, code: error.code }
    throw error
  }
}

async function repositoryBytes(): Promise<number> {
  await using backend = await open(world.repository)
  let bytes = 0
  for await (const { size } of backend.list('packs/', never)) bytes += size
  return bytes
}

async function expectWhole(): Promise<void> {
  expect((await world.check({ readDataPercent: 100 })).outcome).toBe('success')
  await world.restore(join(world.folder, 'restored'))
  expect(describeTree(join(world.folder, 'restored', 'source'))).toEqual(describeTree(world.source))
}

test('stopped at 30 random points, a backup sends every byte once, and at most one pack more for each interruption in flight', async () => {
  fill(90, 700_000)
  const random = new SeededRandom(20261122)
  const slow = `faulty+${world.repository}?fault.rule=${encodeURIComponent('put,slow,prefix=packs/,bytesPerSecond=200000000')}`
  let sent = 0
  let interruptions = 0
  let last: (RunSummary & { readonly code?: string }) | undefined
  for (let round = 0; round < 30; round++) {
    const control = new AbortController()
    const timer = setTimeout(() => { control.abort(new HoldfastError('aborted', 'The run was stopped.')) }, 20 + random.below(350))
    last = await summaryOf(runJob(backupJob(slow), world.context(control.signal))).catch((error: unknown) => {
      if (error instanceof HoldfastError && error.code === 'aborted') return undefined
      throw error
    })
    clearTimeout(timer)
    sent += last?.uploadedBytes ?? 0
    if (control.signal.aborted) interruptions++
  }
  last = await summaryOf(world.run(backupJob()))
  sent += last.uploadedBytes
  expect(['success', 'unchanged']).toContain(last.outcome)
  expect(interruptions).toBeGreaterThan(2)
  const total = await repositoryBytes()
  expect(total).toBeLessThan(90 * 700_000 * 1.02)
  expect(sent).toBeLessThan(total + interruptions * packBytes)
  await expectWhole()
})

describe('the network goes away', () => {
  test('and comes back within patience: transfers wait, the progress says for what, the run succeeds', async () => {
    fill(30, 700_000)
    const rule = (operation: string): string => `fault.rule=${encodeURIComponent(`${operation},before,prefix=packs/,skip=1,times=6,code=offline`)}`
    const run = runJob({ ...backupJob(`faulty+${world.repository}?${rule('put')}`), patienceMs: 900_000 }, { ...world.context(), clock: fastClock })
    expect((await run).outcome).toBe('success')
    expect(world.progress.some(({ waitingFor }) => waitingFor?.code === 'offline')).toBe(true)
    expect(world.progress.at(-1)?.waitingFor).toBeUndefined()
    await expectWhole()
  })

  test('for longer: the run ends as partial and offline, and the next one goes on with what arrived', async () => {
    fill(60, 700_000)
    const gone = `faulty+${world.repository}?fault.rule=${encodeURIComponent('put,before,prefix=packs/,skip=1,code=offline')}`
    const failed = await summaryOf(runJob({ ...backupJob(gone), concurrency: 1, patienceMs: 60_000 }, { ...world.context(), clock: fastClock }))
    expect(failed).toMatchObject({ code: 'offline', outcome: 'partial' })
    const arrived = await repositoryBytes()
    expect(arrived).toBeGreaterThan(10 * mebibyte)
    world.progress.length = 0
    const next = await world.run(backupJob())
    expect(next.outcome).toBe('success')
    expect(next.uploadedBytes).toBeLessThan(await repositoryBytes() - arrived + 100_000)
    expect(Math.max(...world.progress.map(({ continuedFraction }) => continuedFraction ?? 0))).toBeGreaterThan(0.2)
    await expectWhole()
  })
})

test('a restore that was broken off goes on: what is there is not fetched again', async () => {
  fill(60, 700_000)
  await world.run(backupJob())
  const target = join(world.folder, 'target')
  const job: RestoreJob = { ...world.common, type: 'restore', snapshot: 'latest', target, paths: [], overwrite: 'changed' }
  const whole = await world.restore(join(world.folder, 'undisturbed'))
  const broken = `faulty+${world.repository}?fault.rule=${encodeURIComponent('get,before,prefix=packs/,skip=5,code=denied')}`
  const first = await summaryOf(world.run({ ...job, repository: broken, concurrency: 1 }))
  expect(first).toMatchObject({ code: 'denied', outcome: 'partial' })
  const second = await world.run(job)
  expect(second.outcome).toBe('success')
  expect(second.files.unchanged).toBeGreaterThan(5)
  expect(second.downloadedBytes).toBeLessThan(whole.downloadedBytes - first.files.uploaded * 500_000)
  expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
})

describe('the command line, interrupted', () => {
  const cli = join(import.meta.dirname, '../../engine/cli.ts')

  /** Starts a slow backup, sends SIGINT `times` when packs are under way, and gives its exit code and last word. */
  async function interrupted(times: number): Promise<{ readonly exitCode: number; readonly last: Record<string, unknown>; readonly tookMs: number }> {
    const slow = `faulty+file://${join(world.folder, 'repository')}?fault.rule=${encodeURIComponent('put,slow,prefix=packs/,bytesPerSecond=8000000')}`
    const child = spawn(process.execPath, [cli, 'backup', world.source, '--job', 'photos', '--json', '--repo', slow, '--concurrency', '1'], {
      env: { ...process.env, HOLDFAST_PASSWORD: world.password, HOLDFAST_HOME: world.home }, stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    let startedMs = 0
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (startedMs > 0 || !/"bytes":[1-9]/.test(output) || !output.includes('"transfer"') || !output.includes('pack')) return
      startedMs = performance.now()
      for (let count = 0; count < times; count++) setTimeout(() => { child.kill('SIGINT') }, count * 100)
    })
    const [exitCode] = await once(child, 'close') as [number]
    return { exitCode, last: JSON.parse(output.trimEnd().split('\n').at(-1) ?? '{}') as Record<string, unknown>, tookMs: performance.now() - startedMs }
  }

  test.each([{ times: 1, how: 'drains what is under way' }, { times: 2, how: 'breaks off' }])('by $times SIGINT $how, says so, and the next run goes on', async ({ times }) => {
    await initCheaply(join(world.folder, 'repository'), world.password)
    fill(60, 700_000)
    const { exitCode, last, tookMs } = await interrupted(times)
    expect(last).toMatchObject({ type: 'error', code: 'aborted' })
    expect([50, 100]).toContain(exitCode)
    if (times === 1) expect(exitCode).toBe(50)
    else expect(tookMs).toBeLessThan(1500)
    world.repository = join(world.folder, 'repository')
    const next = await world.run(backupJob())
    expect(next.outcome).toBe('success')
    await expectWhole()
  })
})

describe('S3 behind a proxy that breaks things', () => {
  const isPack = ({ method, url }: ProxiedRequest): boolean => method === 'PUT' && url.includes('/packs/')
  const isSnapshot = ({ method, url }: ProxiedRequest): boolean => method === 'PUT' && url.includes('/snapshots/')
  const faults: readonly (readonly [string, (request: ProxiedRequest) => boolean, HttpFault])[] = [
    ['a pack whose reply is lost', isPack, { type: 'lose-reply' }],
    ['a pack whose request is cut', isPack, { type: 'cut-request', afterBytes: 100_000 }],
    ['503 SlowDown with Retry-After', isPack, { type: 'answer', status: 503, code: 'SlowDown', headers: { 'retry-after': '1' } }],
    ['429 for the commit', isSnapshot, { type: 'answer', status: 429, code: 'TooManyRequests' }],
    ['a commit whose reply is lost', isSnapshot, { type: 'lose-reply' }],
    ['a list that is cut', ({ method, url }) => method === 'GET' && url.includes('prefix=') && url.includes('packs'), { type: 'cut-reply', afterBytes: 60 }],
    ['a captive portal', ({ method, url }) => method === 'GET' && url.includes('/config'), { type: 'portal' }],
  ]

  test('each is survived, and the snapshot is whole', async () => {
    const bucket = await freshBucket()
    await using proxy = await FaultProxy.start(bucket.endpoint)
    const address = (prefix: string): string => bucket.url(prefix).replace(encodeURIComponent(bucket.endpoint), encodeURIComponent(proxy.endpoint))
    mkdirSync(world.source, { recursive: true })
    fill(3, 700_000)
    const memory = world.repository
    for (const [index, [what, matches, fault]] of faults.entries()) {
      const repository = address(`case-${index}`)
      await using target = await openBackend(repository, { credentials: fixedCredentials(bucket.secrets), signal: never })
      await using source = await open(memory)
      for await (const { name } of source.list('', never)) await target.put(name, { type: 'bytes', bytes: await source.get(name, 'all', never) }, {}, never)
      let happened = 0
      proxy.breakNext((request) => matches(request) && ++happened > 0, fault)
      const context = { ...world.context(), secrets: { password: world.password, storage: bucket.secrets } }
      const home = join(world.folder, `home-${index}`)
      const summary = await runJob({ ...backupJob(repository), home, patienceMs: 30_000 }, context)
      expect(summary.outcome, what).toBe('success')
      expect(happened, what).toBeGreaterThan(0)
      const check = await runJob({ ...world.common, home, repository, type: 'check', readDataPercent: 100 }, context)
      expect(check.outcome, what).toBe('success')
      const restored = join(world.folder, `restored-${index}`)
      await runJob({ ...world.common, home, repository, type: 'restore', snapshot: 'latest', target: restored, paths: [], overwrite: 'never' }, context)
      expect(describeTree(join(restored, 'source')), what).toEqual(describeTree(world.source))
    }
  })
})
