import { systemClock } from '../../engine/base/clock.ts'
import { toWireError } from '../../engine/base/errors.ts'
import { createLog } from '../../engine/base/log.ts'
import { PauseGate } from '../../engine/base/pause.ts'
import { LimitControl } from '../../engine/commands/context.ts'
import { runJob } from '../../engine/commands/run.ts'

/** What "Test connection" runs, as a program: exits with 0, or with 100 and the error as JSON on standard error. */
const { HOLDFAST_REPO: repository = '', HOLDFAST_HOME: home = '', HOLDFAST_PASSWORD: password = '' } = process.env
const nothing = (): void => undefined
try {
  await runJob({ type: 'test', repository, home, concurrency: 4, patienceMs: 0 }, {
    secrets: { password, storage: { accessKeyId: 'a', secretAccessKey: 'b' } }, signal: new AbortController().signal, clock: systemClock,
    log: createLog(nothing, () => Date.now()), events: { progress: nothing, transfer: nothing, problem: nothing }, limits: new LimitControl(), pauseGate: new PauseGate(),
  })
  process.exit(0)
} catch (error) {
  console.error(JSON.stringify(toWireError(error)))
  process.exit(100)
}
