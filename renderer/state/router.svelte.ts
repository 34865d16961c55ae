import type { FolderView, Route } from './bridge.ts'
import type { JobForm } from './job-form.svelte.ts'

/** Parts of the long form of a job. */
export type FormSection = 'when' | 'keep'

/** Where in the window the user is. Wider than what main may ask for: forms and the picker of snapshots are the window's own. */
export type Page =
  | Route
  /** The short form of a new job. Its state outlives the page, so that the long one can go on with it: whoever opens the page makes it. */
  | { readonly page: 'quick'; readonly form: JobForm }
  /** The long one. `sources`: folders that were chosen for it; `section`: what it begins at. */
  | { readonly page: 'add'; readonly sources?: readonly FolderView[]; readonly form?: JobForm; readonly section?: FormSection }
  | { readonly page: 'edit'; readonly jobId: string; readonly sources?: readonly FolderView[] }
  /** A repository without a job; `show`: what of it. */
  | { readonly page: 'visit'; readonly show?: 'files' | 'machines' }
  /** The log; of a job, or of one of its runs. */
  | { readonly page: 'logs'; readonly jobId?: string; readonly runId?: string }
  | { readonly page: 'browse'; readonly jobId?: string; readonly snapshot?: string }

export class Router {
  #page = $state.raw<Page>({ page: 'jobs' })
  #visits = $state(0)

  get page(): Page {
    return this.#page
  }

  /** Grows with every change of page: pages are made anew by it, and the focus goes to the new one. */
  get visits(): number {
    return this.#visits
  }

  go(page: Page): void {
    this.#page = page
    this.#visits += 1
  }
}
