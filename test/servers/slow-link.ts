import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { number, object, safeParse } from 'valibot'

/** What the way to a server is like. Absent rates: as fast as it goes. */
export interface LinkShape {
  /** There and back; also what a new connection costs before its first byte. */
  readonly roundTripMs: number
  /** Of each connection, in each direction. */
  readonly bytesPerSecondPerConnection?: number
  /** Of all connections together, in each direction. */
  readonly bytesPerSecond?: number
}

/** Bytes that have left the narrow part of the link so far, in each direction, and when (ms of `performance.timeOrigin` + `now`). */
export interface LinkReading {
  readonly atMs: number
  readonly up: number
  readonly down: number
  readonly connections: number
}

const started = object({ port: number() })
const reading = object({ atMs: number(), up: number(), down: number(), connections: number() })

/**
 * A TCP proxy in front of a server on loopback, in a process of its own so that it takes nothing from the event loop of whoever is
 * measured. Bytes stay in order; what it holds back is bounded by rate × delay.
 */
export class SlowLink implements AsyncDisposable {
  readonly endpoint: string
  /** Every tenth of a second, oldest first. */
  readonly readings: LinkReading[] = []
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.endpoint = `http://127.0.0.1:${port}`
    child.on('message', (message) => {
      const parsed = safeParse(reading, message)
      if (parsed.success) this.readings.push(parsed.output)
    })
  }

  /** @param target e.g. http://127.0.0.1:7480 */
  static async start(target: string, shape: LinkShape): Promise<SlowLink> {
    const keeper = fileURLToPath(new URL('slow-link-keeper.ts', import.meta.url))
    const child = fork(keeper, [target, JSON.stringify(shape)], { execArgv: [] })
    const [message] = await once(child, 'message') as [unknown]
    const parsed = safeParse(started, message)
    if (!parsed.success) throw new Error(`The link did not start: ${JSON.stringify(message)}`)
    return new SlowLink(child, parsed.output.port)
  }

  /** From now on, for connections that stand as well. */
  reshape(shape: LinkShape): void {
    this.#child.send(shape)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}
