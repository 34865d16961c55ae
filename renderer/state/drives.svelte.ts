import type { Bridge, DriveView } from './bridge.ts'
import { isInside } from './job-form.ts'
import type { JobForm } from './job-form.svelte.ts'

/** A disk that is plugged in shows after this time. */
const lookMs = 3_000

/** The disks that are attached, while a form asks where backups are to go. */
export class Drives {
  readonly #bridge: Bridge
  readonly #form: JobForm
  #all = $state.raw<readonly DriveView[]>()
  #failed = $state<string>()
  #turn = 0

  constructor(bridge: Bridge, form: JobForm) {
    this.#bridge = bridge
    this.#form = form
  }

  /** Undefined until the first answer. */
  get all(): readonly DriveView[] | undefined {
    return this.#all
  }

  /** The one that the form goes to. */
  get chosen(): DriveView | undefined {
    const { destination, folder } = this.#form.fields
    return destination === 'folder' && folder ? this.#all?.find(({ mount }) => isInside(folder.path, mount)) : undefined
  }

  /** Id of a disk that could not be chosen: it was unplugged meanwhile. */
  get failed(): string | undefined {
    return this.#failed
  }

  /** Looks for disks now and again, until the returned function is called. @param onFirst with what is there at first */
  watch(onFirst: (drives: readonly DriveView[]) => void): () => void {
    let ended = false
    const look = async (): Promise<void> => {
      const reply = await this.#bridge.invoke('drives.list')
      if (ended) return
      const isFirst = this.#all === undefined
      this.#all = reply.ok ? reply.value : (this.#all ?? [])
      if (isFirst) onFirst(this.#all)
      timer = setTimeout(() => void look(), lookMs)
    }
    let timer = setTimeout(() => void look(), 0)
    return () => {
      ended = true
      clearTimeout(timer)
    }
  }

  /** Backups go to this disk, into a folder of their own or to the repository that is there. Of several the last one counts. */
  async choose({ id }: DriveView): Promise<void> {
    this.#turn += 1
    const turn = this.#turn
    const reply = await this.#bridge.invoke('drives.choose', { id })
    if (turn !== this.#turn) return
    this.#failed = reply.ok ? undefined : id
    if (reply.ok) this.#form.chooseDrive(reply.value)
  }

  /** Another place was chosen: an answer that is under way comes too late. */
  leave(): void {
    this.#turn += 1
  }
}
