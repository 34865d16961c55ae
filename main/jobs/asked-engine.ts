import type { RunSummary } from '../../engine/protocol/progress.ts'
import { EngineError, MainError } from '../api/errors.ts'
import type { Pace } from '../api/pace.ts'
import type { EngineStarter } from '../runs/backups.ts'
import { engineLog } from '../runs/engine-log.ts'
import type { LogWriter } from '../system/logs.ts'
import type { Timers } from '../system/timers.ts'

/** What an engine needs that is started for somebody who waits for its answer. */
export interface AskPorts {
  readonly engines: EngineStarter
  readonly home: string
  readonly timers: Timers
  readonly log: LogWriter
  /** How often an engine may be started. */
  readonly pace: Pace
}

/** What is asked. */
export interface Asking {
  readonly start: Parameters<EngineStarter['start']>[0]
  /** For the log. */
  readonly about: Parameters<typeof engineLog>[2]
  /** It is given up after this time, whatever its engine does. */
  readonly givenUpMs: number
}

const stopGraceMs = 2_000

/** Asks an engine of its own, one at a time, as somebody sits in front of it. */
export class AskedEngine {
  readonly #ports: AskPorts
  readonly #busyWords: string
  #busy = false

  constructor(ports: AskPorts, busyWords: string) {
    this.#ports = ports
    this.#busyWords = busyWords
  }

  /** Errors: what the engine says; `busy`; `offline` when it is given up; `crashed`. */
  async ask(asking: Asking): Promise<RunSummary> {
    if (this.#busy) throw new MainError('busy', this.#busyWords, { pace: true })
    this.#ports.pace.take()
    this.#busy = true
    try {
      return await answerOf(asking, this.#ports)
    } finally {
      this.#busy = false
    }
  }
}

async function answerOf({ start, about, givenUpMs }: Asking, { engines, timers, log }: AskPorts): Promise<RunSummary> {
  const engine = engines.start(start, engineLog(log, timers, about))
  let late = false
  const cancel = timers.after(givenUpMs, () => {
    late = true
    engine.stop('cancel', stopGraceMs)
  })
  const exit = await engine.exited
  cancel()
  if (exit.type === 'finished') return exit.summary
  if (late) throw new MainError('offline', 'The storage did not answer in time.')
  if (exit.type === 'failed') throw new EngineError(exit.error)
  throw new MainError('crashed', `The engine process broke off: ${exit.detail}.`)
}
