import type { StorageBackend, UploadJournal } from '../backend.ts'
import { BackendWrapper } from './wrapper.ts'

/** A storage whose interrupted uploads are in this journal, which it keeps itself: for each of them there is an entry. */
export function withContinuing(backend: StorageBackend, journal: UploadJournal | undefined): StorageBackend {
  return journal && backend.traits.resumable ? new ContinuingBackend(backend, journal) : backend
}

class ContinuingBackend extends BackendWrapper {
  readonly #journal: UploadJournal

  constructor(inner: StorageBackend, journal: UploadJournal) {
    super(inner)
    this.#journal = journal
  }

  override continues(name: string): boolean {
    return this.#journal.get(name) !== undefined
  }
}
