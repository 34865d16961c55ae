import { HoldfastError } from '../base/errors.ts'
import { systemClock } from '../base/clock.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { supervisorPort } from './port.ts'
import { EngineSession } from './session.ts'
import type { JobRunner } from './session.ts'

const heartbeatMs = 2000

/** How long a run may take to let go of its storage once the supervisor is gone. Ending harder is safe too (requirement B4). */
const orphanGraceMs = 2000

/** Serves one job and ends the process: 0 after `finished`, 1 after `failed`, 2 when nobody is there to serve. */
export async function serveSupervisor(): Promise<void> {
  const port = supervisorPort()
  if (!port) {
    process.stderr.write('This is the engine of the Holdfast app. On the command line use `holdfast` (engine/cli.ts).\n')
    process.exit(2)
  }
  let failed = false
  const session = new EngineSession({
    send: (event) => {
      failed ||= event.type === 'failed'
      port.send(event)
    },
    clock: systemClock,
    runner: runLazily,
    logLevel: process.env['HOLDFAST_LOG'] === 'debug' ? 'debug' : 'info',
  })
  process.on('uncaughtException', (error) => { session.fail(defect(error)) })
  process.on('unhandledRejection', (reason) => { session.fail(defect(reason)) })
  // The supervisor decides about the end, also when a terminal sends its group an interrupt.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => { session.stop('cancel') })
  port.onMessage((message) => { session.receive(message) })
  port.onGone(() => {
    session.stop('cancel')
    setTimeout(() => process.exit(0), orphanGraceMs).unref()
  })
  session.open()
  const heartbeat = setInterval(() => { session.heartbeat() }, heartbeatMs)
  await session.ended
  clearInterval(heartbeat)
  await port.flush()
  process.exit(failed ? 1 : 0)
}

function defect(error: unknown): HoldfastError {
  const message = error instanceof Error ? error.message : String(error)
  return new HoldfastError('internal', `Uncaught: ${message}`, { cause: error })
}

/** `ready` and the heartbeat need no command; its code is loaded when the job is known. */
const runLazily: JobRunner = async (job, context, queries): Promise<RunSummary> => {
  if (job.type === 'browse') {
    const { serveBrowse } = await import('../commands/browse.ts')
    return serveBrowse(job, context, queries)
  }
  if (job.type === 'serve') {
    const { serveAsked } = await import('../commands/serve.ts')
    return serveAsked(job, context, queries)
  }
  if (job.type === 'watch') {
    const { serveWatch } = await import('../commands/watch.ts')
    return serveWatch(job, context, queries)
  }
  const { runJob } = await import('../commands/run.ts')
  return runJob(job, context)
}
