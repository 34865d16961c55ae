import { setTimeout as delay } from 'node:timers/promises'
import type { EngineEvent } from '../protocol/messages.ts'

/** The line to the supervisor. */
export interface SupervisorPort {
  send(event: EngineEvent): void
  onMessage(listener: (message: unknown) => void): void
  /** The supervisor is gone: nobody hears this engine any more. */
  onGone(listener: () => void): void
  /** Resolves when everything that was sent has left this process. */
  flush(): Promise<void>
}

/** What Electron gives a utility process; declared here because the engine knows nothing of Electron. */
interface ParentPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): void
}

/** The port of whichever host started this process: a utility process of Electron or a forked Node. Undefined when started by hand. */
export function supervisorPort(): SupervisorPort | undefined {
  const parentPort: unknown = Reflect.get(process, 'parentPort')
  if (isParentPort(parentPort)) return utilityPort(parentPort)
  return process.send ? forkedPort(process.send.bind(process)) : undefined
}

function isParentPort(value: unknown): value is ParentPort {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'postMessage') === 'function'
}

/** Electron ends a utility process together with its parent, so `onGone` never has to fire here. */
function utilityPort(parentPort: ParentPort): SupervisorPort {
  return {
    send: (event) => { parentPort.postMessage(event) },
    onMessage: (listener) => { parentPort.on('message', (event) => { listener(event.data) }) },
    onGone: () => undefined,
    // Messages leave through a pipe of the browser process, without a receipt.
    flush: () => delay(50),
  }
}

type ProcessSend = (message: EngineEvent, handle: undefined, options: undefined, done: (error: Error | null) => void) => boolean

function forkedPort(send: ProcessSend): SupervisorPort {
  let sent: Promise<void> = Promise.resolve()
  return {
    send(event) {
      if (!process.connected) return
      sent = new Promise((resolve) => { send(event, undefined, undefined, () => { resolve() }) })
    },
    onMessage: (listener) => { process.on('message', listener) },
    onGone: (listener) => { process.on('disconnect', listener) },
    flush: () => sent,
  }
}
