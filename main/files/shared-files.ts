import type { BrowseAnswer } from '../../engine/protocol/messages.ts'
import type { FilesView, PlaceRef } from '../api/contract.ts'
import type { Handlers } from '../api/dispatch.ts'
import { EngineError, MainError } from '../api/errors.ts'
import type { AskPorts } from '../jobs/asked-engine.ts'
import { serveJobOf } from '../jobs/engine-jobs.ts'
import { placeKey, type Places } from '../repositories/places.ts'
import { engineLog } from '../runs/engine-log.ts'
import type { Engine } from '../supervisor/engine.ts'
import type { DoorAddress, FileManager } from './file-manager.ts'

export interface SharedFilesPorts extends AskPorts {
  readonly places: Places
  readonly manager: Pick<FileManager, 'addressOf' | 'show' | 'leave'>
  readonly onChange: () => void
}

/** Nobody leaves a door open for the night. */
const idleMs = 60 * 60_000
const stopGraceMs = 2_000

interface Open {
  readonly ref: PlaceRef
  readonly engine: Engine
  /** Absent until it is open. */
  door?: DoorAddress
  shown: boolean
}

/** The snapshots of one repository at a time, open to programs of this user. Its password stays in memory, here and in its engine. */
export class SharedFiles {
  readonly #ports: SharedFilesPorts
  #open: Open | undefined
  #busy = false

  constructor(ports: SharedFilesPorts) {
    this.#ports = ports
  }

  get view(): FilesView | undefined {
    const { ref, door, shown } = this.#open ?? {}
    return ref && door && { place: ref, address: this.#ports.manager.addressOf(door), user: door.user, shown: shown === true }
  }

  /** Shows what is open already once more. Errors: `not-found`, `password`, `busy`, and what the engine says. */
  async open(ref: PlaceRef): Promise<{ readonly shown: boolean }> {
    if (this.#busy) throw new MainError('busy', 'It is being opened.', { pace: true })
    this.#busy = true
    try {
      const open = this.#of(ref) ?? this.#start(ref)
      open.door ??= doorOf(await open.engine.query({ type: 'door' }))
      this.#ports.onChange()
      open.shown = await this.#ports.manager.show(open.door)
      return { shown: open.shown }
    } catch (error) {
      this.end(ref)
      throw error
    } finally {
      this.#busy = false
      this.#ports.onChange()
    }
  }

  /** Errors: `not-found`. */
  get password(): string {
    if (!this.#open?.door) throw new MainError('not-found', 'Nothing is open.')
    return this.#open.door.password
  }

  /** Closes it. Without effect where nothing is open, or another place. */
  end(ref = this.#open?.ref): void {
    const open = ref && this.#of(ref)
    if (!open) return
    this.#open = undefined
    open.engine.stop('cancel', stopGraceMs)
    this.#ports.onChange()
  }

  #of(ref: PlaceRef): Open | undefined {
    return this.#open && placeKey(this.#open.ref) === placeKey(ref) ? this.#open : undefined
  }

  #start(ref: PlaceRef): Open {
    const { engines, places, home, timers, log, pace, manager, onChange } = this.#ports
    const { place, secrets } = places.open(ref)
    pace.take()
    this.end()
    const engine = engines.start({ job: serveJobOf(place, home, idleMs), secrets }, engineLog(log, timers, { job: place.name, operation: 'serve' }))
    const open: Open = { ref, engine, shown: false }
    this.#open = open
    void engine.exited.then(() => {
      if (open.door) void manager.leave(open.door)
      if (this.#open !== open) return
      this.#open = undefined
      onChange()
    })
    return open
  }
}

export function filesHandlers(files: SharedFiles, copy: (text: string) => void): Pick<Handlers, 'files.open' | 'files.close' | 'files.copyPassword'> {
  return {
    'files.open': ({ place }) => files.open(place),
    'files.close': () => { files.end() },
    'files.copyPassword': () => { copy(files.password) },
  }
}

function doorOf(answer: BrowseAnswer): DoorAddress {
  if (answer.type === 'door') return { port: answer.port, user: answer.user, password: answer.password }
  if (answer.type === 'error') throw new EngineError(answer.error)
  throw new MainError('internal', 'The engine answered another question.')
}
