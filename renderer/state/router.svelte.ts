import type { FolderView, Route } from './bridge.ts'

/** Where in the window the user is. Wider than what main may ask for: forms and the picker of snapshots are the window's own. */
export type Page =
  | Route
  /** `sources`: folders that were chosen for it. */
  | { readonly page: 'add'; readonly sources?: readonly FolderView[] }
  | { readonly page: 'edit'; readonly jobId: string; readonly sources?: readonly FolderView[] }
  /** A repository without a job; `show`: what of it. */
  | { readonly page: 'visit'; readonly show?: 'files' | 'machines' }
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
