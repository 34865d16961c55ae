import type { Destination, JobView, RunView } from '../api/contract.ts'
import { providerById, reachOf } from '../api/providers.ts'
import type { JobRecord, JobStore } from '../jobs/store.ts'
import { keptRuns, type RunHistory } from '../runs/history.ts'
import type { Copies } from '../runs/copies.ts'
import { isComplete } from '../runs/run-view.ts'
import { spreadOf, type Where } from './spread.ts'

export interface WhereaboutsPorts {
  readonly store: Pick<JobStore, 'all' | 'copies'>
  readonly history: Pick<RunHistory, 'page'>
  readonly copies: Pick<Copies, 'view'>
  /** Where a folder lies, as far as that can be said now. Never rejects. */
  readonly diskOf: (path: string) => Promise<Where | undefined>
  /** Whether somebody does not want to hear of something again. */
  readonly isDismissed: (key: string) => boolean
  readonly onChange: () => void
}

/** Knows where the originals and copies of jobs lie. A disk that is away is where it was seen last. */
export class Whereabouts {
  readonly #ports: WhereaboutsPorts
  readonly #seen = new Map<string, Where>()
  readonly #asking = new Set<string>()

  constructor(ports: WhereaboutsPorts) {
    this.#ports = ports
  }

  /** Looks where everything is. Calling it more often is harmless. */
  async refresh(): Promise<void> {
    const { store } = this.#ports
    const destinations = [...store.all.map(({ config }) => config.destination), ...store.copies.all.map((copy) => copy.destination)]
    const folders = destinations.flatMap((one) => (one.type === 'folder' ? [one.path] : []))
    const paths = [...new Set([...store.all.flatMap(({ config }) => config.sources), ...folders])]
    await Promise.all(paths.filter((path) => !this.#asking.has(path)).map((path) => this.#look(path)))
  }

  /** How what a job protects is spread; undefined before the first backup, and where nobody can say where the originals are. */
  view(record: JobRecord): JobView['spread'] {
    const { history, copies, isDismissed } = this.#ports
    const originals = record.config.sources.flatMap((path) => this.#seen.get(path) ?? [])
    const made = copies.view(record).filter(({ completeMs }) => completeMs !== undefined).map(({ destination }) => destination)
    if (originals.length === 0 || !history.page(record.id, keptRuns).runs.some((run: RunView) => isComplete(run))) return undefined
    const others = [record.config.destination, ...made.map((one): Destination => (one.type === 'folder' ? { type: 'folder', path: one.folder.path } : one))]
    const { together, ...spread } = spreadOf(originals, others.map((one) => this.#whereIs(one)))
    return { ...spread, ...(together && !isDismissed(hintKey(together, record.id)) && { hint: together }) }
  }

  async #look(path: string): Promise<void> {
    const { diskOf, onChange } = this.#ports
    this.#asking.add(path)
    const found = await diskOf(path)
    this.#asking.delete(path)
    if (!found || JSON.stringify(found) === JSON.stringify(this.#seen.get(path))) return
    this.#seen.set(path, found)
    onChange()
  }

  #whereIs(destination: Destination): Where {
    // What was never seen is no disk that is always there.
    if (destination.type === 'folder') return this.#seen.get(destination.path) ?? { at: 'computer', disk: `of ${destination.path}` }
    const provider = providerById(destination.provider)
    const host = provider && reachOf(provider, destination.values)?.host
    return host !== undefined && isThisComputer(host) ? { at: 'computer', disk: `of ${host}` } : { at: 'elsewhere', kind: destination.provider }
  }
}

/** Under which it is remembered that somebody does not want to hear of it again. */
export function hintKey(together: 'disk' | 'computer', jobId: string): string {
  return `one-${together}:${jobId}`
}

function isThisComputer(host: string): boolean {
  return host === 'localhost' || /^127\.\d+\.\d+\.\d+$/.test(host) || host === '::1' || host === '[::1]'
}
