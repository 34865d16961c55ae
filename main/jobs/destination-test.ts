import * as v from 'valibot'
import type { JobSecrets } from '../../engine/protocol/job.ts'
import type { Destination, TestView } from '../api/contract.ts'
import { EngineError, MainError } from '../api/errors.ts'
import type { LogWriter } from '../system/logs.ts'
import type { Timers } from '../system/timers.ts'
import type { EngineStarter } from './backups.ts'
import { testJobOf } from './engine-jobs.ts'
import { engineLog } from './engine-log.ts'

export interface TestPorts {
  readonly engines: EngineStarter
  readonly home: string
  readonly timers: Timers
  readonly log: LogWriter
}

/** A test is given up after this time, whatever its engine does. */
const givenUpMs = 30_000
const stopGraceMs = 2_000

/** What a `test` run says in the details of its summary. */
const found: v.GenericSchema<unknown, TestView> = v.object({
  repository: v.picklist(['none', 'exists']),
  repositoryId: v.exactOptional(v.string()),
  exclusiveCreate: v.boolean(),
  maxConnections: v.exactOptional(v.number()),
})

/** Tries a destination in an engine of its own. Errors: what the engine says (`offline`, `credentials`, `denied`, `password`, …). */
export async function testDestination(destination: Destination, secrets: JobSecrets, ports: TestPorts): Promise<TestView> {
  const listener = engineLog(ports.log, ports.timers, { operation: 'test' })
  const engine = ports.engines.start({ job: testJobOf(destination, ports.home), secrets }, listener)
  let late = false
  const cancel = ports.timers.after(givenUpMs, () => {
    late = true
    engine.stop('cancel', stopGraceMs)
  })
  const exit = await engine.exited
  cancel()
  if (exit.type === 'finished') {
    const parsed = v.safeParse(found, exit.summary.details)
    if (parsed.success) return parsed.output
    throw new MainError('internal', 'The test gave no result.')
  }
  if (late) throw new MainError('offline', 'The storage did not answer in time.')
  if (exit.type === 'failed') throw new EngineError(exit.error)
  throw new MainError('crashed', `The engine process broke off: ${exit.detail}.`)
}
