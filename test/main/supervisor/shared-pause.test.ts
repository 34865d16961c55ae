import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { EngineJob } from '../../../engine/protocol/job.ts'
import type { EngineEvent } from '../../../engine/protocol/messages.ts'
import type { Engine } from '../../../main/supervisor/engine.ts'
import { nodeHost } from '../../../main/supervisor/node-host.ts'
import { Supervisor } from '../../../main/supervisor/supervisor.ts'
import { systemTimers } from '../../../main/system/timers.ts'
import { randomFile } from '../../e2e/harness/data.ts'
import { DropboxServer } from '../../servers/dropbox.ts'
import { backupJob, ownKey, restoreJob } from '../fakes.ts'

const engine = fileURLToPath(new URL('../../../engine/engine.ts', import.meta.url))
const secrets = { password: 'tulip gravel omen lamp', storage: {} }
const pauseSeconds = 4

/** Runs engines on one Dropbox account, each with a token of its own, by which the server tells them apart. */
class World implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-pause-'))
  /** Who asked, and when. */
  readonly asked: { readonly type: string; readonly atMs: number }[] = []
  refusedMs: number | undefined
  readonly supervisor: Supervisor
  readonly #server: DropboxServer

  private constructor(server: DropboxServer) {
    this.#server = server
    for (const type of ['backup', 'restore', 'check']) server.tokens.add(type)
    this.supervisor = new Supervisor({
      startHost: nodeHost({ node: process.execPath, engine, environment: { ...process.env, HOLDFAST_SERVICE_DROPBOX: server.origin } }), timers: systemTimers, renice: () => undefined,
      token: async ({ type }) => ({ type: 'token', token: { accessToken: type, expiresMs: Date.now() + 3_600_000 } }), sharedAccount: ownKey,
    })
  }

  static async start(): Promise<World> {
    return new World(await DropboxServer.start())
  }

  /** The next upload of the backup is refused, with a time. */
  refuseNextUpload(): void {
    this.#server.choose = ({ url, headers }) => {
      const type = String(headers.authorization).replace('Bearer ', '')
      this.asked.push({ type, atMs: performance.now() })
      if (this.refusedMs !== undefined || type !== 'backup' || !url.includes('files/upload')) return undefined
      this.refusedMs = performance.now()
      return { type: 'answer', status: 429, json: { error_summary: 'too_many_requests/', error: { reason: { '.tag': 'too_many_requests' } } }, headers: { 'retry-after': String(pauseSeconds) } }
    }
  }

  start(job: EngineJob, hear: (event: EngineEvent) => void = () => undefined): Engine {
    return this.supervisor.start({ job, secrets }, { event: hear, output: () => undefined, restarting: () => undefined, restarted: () => undefined })
  }

  /** Of those that a job sent from its request number `from` on: when the first came, after the refusal. */
  async firstAfterRefusal(type: string, from = 0): Promise<number> {
    const of = (): readonly number[] => this.asked.filter((one) => one.type === type).slice(from).map(({ atMs }) => atMs)
    await expect.poll(() => of().length, { timeout: 60_000 }).toBeGreaterThan(0)
    return (of()[0] ?? 0) - (this.refusedMs ?? Infinity)
  }

  count(type: string): number {
    return this.asked.filter((one) => one.type === type).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor.stopAll(1_000)
    await this.#server[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true })
  }
}

test('what the storage asks of one job, all jobs of its account keep to: a restore that goes on, and a check that begins only then', { timeout: 150_000 }, async () => {
  await using world = await World.start()
  const place = { repository: 'dropbox:/backup', home: join(world.folder, 'home'), concurrency: 4 }
  const sources = [join(world.folder, 'source')]
  mkdirSync(join(world.folder, 'source'))
  randomFile(join(world.folder, 'source', 'one.bin'), 3_000_000, 'one')
  const backup: EngineJob = { ...backupJob, ...place, name: 'docs', sources, create: true, verify: false }
  expect(await world.start(backup).exited).toMatchObject({ type: 'finished' })

  const restored = Promise.withResolvers<undefined>()
  const restore = world.start({ ...restoreJob, ...place, target: join(world.folder, 'target') }, (event) => { if (event.type === 'progress' && event.progress.phase === 'working') restored.resolve(undefined) })
  restore.pause()
  await restored.promise
  randomFile(join(world.folder, 'source', 'two.bin'), 3_000_000, 'two')
  const told = Promise.withResolvers<{ readonly check: Engine; readonly asked: number }>()
  world.refuseNextUpload()
  const again = world.start(backup, ({ type }) => {
    if (type !== 'account-pause') return
    const asked = world.count('restore')
    restore.resume()
    told.resolve({ check: world.start({ type: 'check', ...place, readDataPercent: 0 }), asked })
  })
  const { check, asked } = await told.promise
  // Each waits from when it was told, which is later than when the storage said it.
  expect(await world.firstAfterRefusal('restore', asked)).toBeGreaterThanOrEqual(pauseSeconds * 1000)
  expect(await world.firstAfterRefusal('check')).toBeGreaterThanOrEqual(pauseSeconds * 1000 - 200)
  expect(await Promise.all([again.exited, restore.exited, check.exited])).toMatchObject([{ type: 'finished' }, { type: 'finished' }, { type: 'finished' }])
  // What was under way when the storage refused is over in a moment.
  const early = world.asked.filter(({ atMs }) => atMs > (world.refusedMs ?? 0) + (pauseSeconds * 1000) / 2 && atMs < (world.refusedMs ?? 0) + pauseSeconds * 1000 - 200)
  expect(early).toEqual([])
})
