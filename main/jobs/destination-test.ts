import * as v from 'valibot'
import type { JobSecrets } from '../../engine/protocol/job.ts'
import type { Destination, TestView } from '../api/contract.ts'
import { EngineError, MainError } from '../api/errors.ts'
import type { Pace } from '../api/pace.ts'
import type { LogWriter } from '../system/logs.ts'
import type { Timers } from '../system/timers.ts'
import type { EngineStarter } from '../runs/backups.ts'
import { testJobOf } from './engine-jobs.ts'
import { engineLog } from '../runs/engine-log.ts'

export interface TestPorts {
  readonly engines: EngineStarter
  readonly home: string
  readonly timers: Timers
  readonly log: LogWriter
  /** How often an engine may be started for a test. */
  readonly pace: Pace
}

/** A test is given up after this time, whatever its engine does. */
const givenUpMs = 30_000
const stopGraceMs = 2_000

/** What an engine can say; which job asks is nothing to it. */
type FoundView = Omit<TestView, 'sameRepository'>

/** What a `test` run says in the details of its summary. */
const found: v.GenericSchema<unknown, FoundView> = v.object({
  repository: v.picklist(['none', 'exists']),
  repositoryId: v.exactOptional(v.string()),
  exclusiveCreate: v.boolean(),
  maxConnections: v.exactOptional(v.number()),
  serverKey: v.exactOptional(v.pipe(v.string(), v.maxLength(200))),
})

export interface TestRequest {
  readonly destination: Destination
  readonly secrets: JobSecrets
  /** Refuse another repository, where the secrets belong to one. */
  readonly expectRepositoryId: string | undefined
}

/** One test at a time, as somebody sits in front of it. */
export class DestinationTests {
  readonly #ports: TestPorts
  #busy = false

  constructor(ports: TestPorts) {
    this.#ports = ports
  }

  /** Tries a destination in an engine of its own. Errors: what the engine says (`offline`, `credentials`, `denied`, `password`, …); `busy`. */
  async run(request: TestRequest): Promise<FoundView> {
    if (this.#busy) throw new MainError('busy', 'A destination is being tested already.', { pace: true })
    this.#ports.pace.take()
    this.#busy = true
    try {
      return await testDestination(request, this.#ports)
    } finally {
      this.#busy = false
    }
  }
}

async function testDestination({ destination, secrets, expectRepositoryId }: TestRequest, ports: TestPorts): Promise<FoundView> {
  const listener = engineLog(ports.log, ports.timers, { operation: 'test' })
  const engine = ports.engines.start({ job: testJobOf(destination, ports.home, expectRepositoryId), secrets }, listener)
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
