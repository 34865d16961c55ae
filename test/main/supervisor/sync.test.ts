import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { systemClock } from '../../../engine/base/clock.ts'
import { createLog } from '../../../engine/base/log.ts'
import { PauseGate } from '../../../engine/base/pause.ts'
import { LimitControl } from '../../../engine/commands/context.ts'
import { init } from '../../../engine/commands/init.ts'
import type { EngineJob, JobSecrets } from '../../../engine/protocol/job.ts'
import type { EngineEvent } from '../../../engine/protocol/messages.ts'
import type { EngineHost, StartHost } from '../../../main/supervisor/host.ts'
import { nodeHost } from '../../../main/supervisor/node-host.ts'
import { Supervisor } from '../../../main/supervisor/supervisor.ts'
import { systemTimers } from '../../../main/system/timers.ts'
import { randomFile } from '../../e2e/harness/data.ts'
import { backupJob, noToken, ownKey, restoreJob, syncJob } from '../fakes.ts'

const engine = fileURLToPath(new URL('../../../engine/engine.ts', import.meta.url))
const ofSource: JobSecrets = { password: 'tulip gravel omen lamp', storage: {} }
const ofCopy: JobSecrets = { password: 'anchor velvet moss pear', storage: {} }

/** A repository like the source, with a password of its own. */
async function makeCopy(repository: string, home: string, source: string): Promise<void> {
  const nothing = (): void => undefined
  await init({ repository, home, concurrency: 4 }, {
    secrets: { ...ofCopy, from: ofSource }, signal: new AbortController().signal, clock: systemClock, log: createLog(nothing, () => Date.now()),
    events: { progress: nothing, transfer: nothing, problem: nothing }, limits: new LimitControl(), pauseGate: new PauseGate(),
  }, source)
}

test('an engine syncs for the supervisor, tells of both ends, and goes on after it was killed; the copy opens with its own password', { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-copy-'))
  const startNode = nodeHost({ node: process.execPath, engine, environment: process.env })
  let host: EngineHost | undefined
  const startHost: StartHost = (listener) => host = startNode(listener)
  const supervisor = new Supervisor({ startHost, timers: systemTimers, renice: () => undefined, token: noToken, sharedAccount: ownKey })
  const at = (name: string): string => join(folder, name)
  const [from, repository] = [pathToFileURL(at('source')).href, pathToFileURL(at('copy')).href]
  const common = { home: at('home'), concurrency: 4 }
  const start = (job: EngineJob, secrets: JobSecrets, event: (event: EngineEvent) => void = () => undefined) =>
    supervisor.start({ job, secrets }, { event, output: () => undefined, restarting: () => undefined, restarted: () => undefined })
  const both = { ...ofCopy, from: ofSource }
  const sync: EngineJob = { ...syncJob, ...common, from, repository, groups: ['desk/*'], last: 5 }
  try {
    mkdirSync(at('photos'))
    randomFile(join(at('photos'), 'one.bin'), 12_000_000, 'photos')
    const backup = { ...backupJob, ...common, name: 'photos', host: 'desk', sources: [at('photos')], repository: from, create: true, verify: false }
    expect(await start(backup, ofSource).exited).toMatchObject({ type: 'finished', summary: { outcome: 'success' } })
    await makeCopy(repository, common.home, from)

    // At this pace it is in the middle of it for many seconds.
    supervisor.setLimits({ downloadBytesPerSecond: 1_000_000 })
    const killed = start(sync, both, (event) => {
      if (event.type === 'progress' && (event.progress.sync?.readBytes ?? 0) > 500_000) host?.kill()
    })
    expect(await killed.exited).toMatchObject({ type: 'crashed', restarts: 0 })
    supervisor.setLimits({})

    const told = { sent: 0, at: new Set<string>(), directions: new Set<string>(), permits: 0 }
    const exit = await start(sync, both, (event) => {
      if (event.type === 'permit-request') told.permits += 1
      if (event.type === 'transfer') told.directions.add(event.transfer.direction)
      if (event.type !== 'progress' || !event.progress.sync) return
      told.sent = event.progress.sync.sentBytes
      for (const { group, snapshot } of event.progress.sync.at) told.at.add(`${group} ${snapshot}`)
    }).exited
    expect(exit).toMatchObject({ type: 'finished', summary: { operation: 'sync', outcome: 'success', details: { done: [{ group: 'desk/photos', copied: [{ source: 'photos@1' }] }] } } })
    expect(told).toMatchObject({ at: new Set(['desk/photos photos@1']), directions: new Set(['up', 'down']) })
    expect(told.sent).toBeGreaterThan(1_000_000)
    expect(told.permits).toBeGreaterThan(2)

    const restore: EngineJob = { ...restoreJob, ...common, snapshot: 'latest:desk/photos', target: at('back'), repository }
    expect(await start(restore, ofCopy).exited).toMatchObject({ type: 'finished', summary: { outcome: 'success' } })
    expect(readFileSync(join(at('back'), 'photos', 'one.bin')).equals(readFileSync(join(at('photos'), 'one.bin')))).toBe(true)
  } finally {
    await supervisor.stopAll(1_000)
    rmSync(folder, { recursive: true })
  }
})
