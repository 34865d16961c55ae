import * as v from 'valibot'
import type { JobSecrets } from '../../engine/protocol/job.ts'
import type { Destination, TestView } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { AskedEngine, type AskPorts } from './asked-engine.ts'
import { testJobOf } from './engine-jobs.ts'

/** A test is given up after this time, whatever its engine does. */
const givenUpMs = 30_000

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

export class DestinationTests {
  readonly #home: string
  readonly #engine: AskedEngine

  constructor(ports: AskPorts) {
    this.#home = ports.home
    this.#engine = new AskedEngine(ports, 'A destination is being tested already.')
  }

  /** Tries a destination in an engine of its own. Errors: what the engine says (`offline`, `credentials`, `denied`, `password`, …); `busy`. */
  async run({ destination, secrets, expectRepositoryId }: TestRequest): Promise<FoundView> {
    const job = testJobOf(destination, this.#home, expectRepositoryId)
    const { details } = await this.#engine.ask({ start: { job, secrets }, about: { operation: 'test' }, givenUpMs })
    const parsed = v.safeParse(found, details)
    if (!parsed.success) throw new MainError('internal', 'The test gave no result.')
    return parsed.output
  }
}
