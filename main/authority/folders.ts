import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import type { Destination, DestinationInput, DestinationView, FolderPurpose, FolderRef, FolderView, JobConfig, JobConfigInput, JobConfigView } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'

/** A job, as far as folders go. */
export interface FolderHolder {
  readonly id: string
  readonly config: Pick<JobConfig, 'sources' | 'destination'>
}

interface Chosen {
  readonly purpose: FolderPurpose
  readonly path: string
  /** Nobody chose it so far: main proposed it. */
  readonly offered?: true
}

/** So many folders a person may have chosen while one page is open; of more, the oldest are forgotten. */
export const mostChosen = 4096

/**
 * The folders that the window may name, by ids that it can neither guess nor make. One that a person chose in a dialog is good
 * for what the dialog was about, until the page is left; so is one that main proposed. One that a job holds is good for that job, and as what it is there.
 */
export class Folders {
  readonly #key = randomBytes(32)
  /** By id, oldest first. */
  readonly #chosen = new Map<string, Chosen>()
  #page = new AbortController()

  /** A person chose these in a dialog of main. */
  add(purpose: FolderPurpose, paths: readonly string[]): readonly FolderView[] {
    return paths.map((path) => {
      const id = randomUUID()
      this.#chosen.set(id, { purpose, path })
      const [oldest] = this.#chosen.keys()
      if (this.#chosen.size > mostChosen && oldest !== undefined) this.#chosen.delete(oldest)
      return { id, path }
    })
  }

  /** Main proposes this one. It is good as one that was chosen, but a job with it is made only after somebody was asked (`isOffered`). Repeating is safe. */
  offer(purpose: FolderPurpose, path: string): FolderView {
    const before = [...this.#chosen].find(([, one]) => one.offered && one.purpose === purpose && one.path === path)
    if (before) return { id: before[0], path }
    const [{ id }] = this.add(purpose, [path]) as [FolderView]
    this.#chosen.set(id, { purpose, path, offered: true })
    return { id, path }
  }

  /** Whether a job would have a folder that nobody chose in a dialog. */
  isOffered({ sources, destination }: Pick<JobConfigInput, 'sources' | 'destination'>): boolean {
    return [...sources, ...(destination.type === 'folder' ? [destination.folder] : [])].some(({ id }) => this.#chosen.get(id)?.offered === true)
  }

  /** Ends when the page that is there now is left. */
  get page(): AbortSignal {
    return this.#page.signal
  }

  /** The page is gone, and with it what was chosen for it. */
  forget(): void {
    this.#chosen.clear()
    this.#page.abort()
    this.#page = new AbortController()
  }

  /** The path behind an id that is good for this purpose, or for the job as a holder. Errors: `arguments`. */
  path(purpose: FolderPurpose, { id }: FolderRef, holder?: FolderHolder): string {
    const chosen = this.#chosen.get(id)
    if (chosen?.purpose === purpose) return chosen.path
    const held = holder && heldPaths(holder, purpose).find((path) => this.#heldId(holder.id, purpose, path) === id)
    if (held === undefined) throw new MainError('arguments', 'This folder was not chosen here; choose it in the dialog.', { reason: 'folder', field: purpose })
    return held
  }

  /** A folder was used for the one thing that it was chosen for. */
  spend({ id }: FolderRef): void {
    this.#chosen.delete(id)
  }

  /** Errors: `arguments`. */
  destination(input: DestinationInput, holder?: FolderHolder): Destination {
    return input.type === 'folder' ? { type: 'folder', path: this.path('destination', input.folder, holder) } : input
  }

  /** Errors: `arguments`. */
  config(input: JobConfigInput, holder?: FolderHolder): JobConfig {
    return { ...input, sources: input.sources.map((one) => this.path('sources', one, holder)), destination: this.destination(input.destination, holder) }
  }

  /** A job's configuration for the window. */
  view(jobId: string, config: JobConfig): JobConfigView {
    return { ...config, sources: config.sources.map((path) => this.#held(jobId, 'sources', path)), destination: this.place(jobId, config.destination) }
  }

  /** A place that a job or a copy goes to, for the window. */
  place(holderId: string, destination: Destination): DestinationView {
    return destination.type === 'folder' ? { type: 'folder', folder: this.#held(holderId, 'destination', destination.path) } : destination
  }

  #held(jobId: string, purpose: FolderPurpose, path: string): FolderView {
    return { id: this.#heldId(jobId, purpose, path), path }
  }

  /** Computed and not kept, so that there is nothing to grow. */
  #heldId(jobId: string, purpose: FolderPurpose, path: string): string {
    return createHmac('sha256', this.#key).update(JSON.stringify([jobId, purpose, path])).digest('hex')
  }
}

function heldPaths({ config: { sources, destination } }: FolderHolder, purpose: FolderPurpose): readonly string[] {
  if (purpose === 'sources') return sources
  return purpose === 'destination' && destination.type === 'folder' ? [destination.path] : []
}
