import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { parseEvent } from '../../engine/protocol/validate.ts'
import type { EngineEvent } from '../../engine/protocol/messages.ts'

/** A real engine process and all that it said; a small supervisor that grants every permit unless told otherwise. */
export class EngineProcess implements AsyncDisposable {
  readonly events: EngineEvent[] = []
  readonly exited: Promise<number | null>
  readonly child: ChildProcess
  grantPermits = true
  readonly #waiting = new Set<() => void>()

  constructor(environment: NodeJS.ProcessEnv = {}) {
    this.child = fork(new URL('../../engine/engine.ts', import.meta.url), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [],
      env: { PATH: process.env['PATH'], ...environment },
    })
    this.exited = new Promise((resolve) => { this.child.on('exit', (code) => { resolve(code) }) })
    this.child.on('message', (message) => { this.#receive(message) })
    void this.exited.then(() => { this.#wake() })
  }

  send(message: unknown): void {
    this.child.send(message as object)
  }

  /** The first event of this type, now or later; fails when the process ends without one. */
  async event<T extends EngineEvent['type']>(type: T): Promise<Extract<EngineEvent, { type: T }>> {
    const isIt = (event: EngineEvent): event is Extract<EngineEvent, { type: T }> => event.type === type
    for (;;) {
      const found = this.events.find(isIt)
      if (found) return found
      if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Error(`the engine ended without ${type}`)
      await new Promise<void>((resolve) => { this.#waiting.add(resolve) })
    }
  }

  lastWords(): EngineEvent[] {
    return this.events.filter((event) => event.type === 'finished' || event.type === 'failed')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null) this.child.kill('SIGKILL')
    await this.exited
  }

  #receive(message: unknown): void {
    const parsed = parseEvent(message)
    if (!parsed.ok) throw new Error(`not an event: ${parsed.problem}`)
    const event = parsed.value
    this.events.push(event)
    if (event.type === 'permit-request' && this.grantPermits) this.send({ type: 'permit-granted', request: event.request })
    this.#wake()
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }
}
