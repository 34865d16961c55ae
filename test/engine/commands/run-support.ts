import { systemClock } from '../../../engine/base/clock.ts'
import { createLog } from '../../../engine/base/log.ts'
import { PauseGate } from '../../../engine/base/pause.ts'
import { LimitControl } from '../../../engine/commands/context.ts'
import type { CommandContext, RunEvents } from '../../../engine/commands/context.ts'
import { runJob } from '../../../engine/commands/run.ts'
import type { RestoreJob } from '../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../engine/protocol/progress.ts'
import { password } from '../small-repository.ts'
import type { TestFolder } from '../small-repository.ts'

const quiet: RunEvents = { progress: () => undefined, transfer: () => undefined, problem: () => undefined }

/** What a command needs, with nobody listening unless told otherwise. */
export function testContext(events: Partial<RunEvents> = {}, signal = new AbortController().signal): CommandContext {
  return {
    secrets: { password, storage: {} },
    signal,
    clock: systemClock,
    log: createLog(() => undefined, () => systemClock.now()),
    events: { ...quiet, ...events },
    limits: new LimitControl(),
    pauseGate: new PauseGate(),
  }
}

export function backUp(folder: TestFolder, source: string, name = 'job'): Promise<RunSummary> {
  return runJob({
    type: 'backup', repository: folder.repository, home: folder.home, concurrency: 2, name, sources: [source],
    excludes: { patterns: [], presets: [], oneFileSystem: false }, dryRun: false, onFailure: 'drain', verify: false,
  }, testContext())
}

export function restoreJob(folder: TestFolder, target: string, options: Partial<RestoreJob> = {}): RestoreJob {
  return { type: 'restore', repository: folder.repository, home: folder.home, concurrency: 2, snapshot: 'latest', target, paths: [], overwrite: 'changed', ...options }
}
