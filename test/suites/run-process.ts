import { text } from 'node:stream/consumers'
import { any, object, optional, parse, record, string } from 'valibot'
import { systemClock } from '../../engine/base/clock.ts'
import { createLog } from '../../engine/base/log.ts'
import { PauseGate } from '../../engine/base/pause.ts'
import { LimitControl } from '../../engine/commands/context.ts'
import { runJob } from '../../engine/commands/run.ts'
import type { EngineJob } from '../../engine/protocol/job.ts'
import { withOwner } from '../fixtures/token-owner.ts'

/** A process that runs one job, for runs that are to be killed. Ends with the exit code 0, or 1 where the run failed. */
const secrets = record(string(), string())
const request = parse(object({
  job: any(), password: string(), credentials: secrets, from: optional(object({ password: string(), storage: secrets })),
}), JSON.parse(await text(process.stdin)))

await runJob(request.job as EngineJob, {
  ...withOwner(request.credentials), secrets: { password: request.password, storage: request.credentials, ...(request.from ? { from: request.from } : {}) }, signal: new AbortController().signal, clock: systemClock,
  log: createLog(() => undefined, () => Date.now()), limits: new LimitControl(), pauseGate: new PauseGate(),
  events: { progress: () => undefined, transfer: () => undefined, problem: () => undefined },
})
