import type { Channel, FolderView, JobConfigInput, JobView } from '../../../main/api/contract.ts'
import type { RunningApp } from './app.ts'
import type { AttackerServer } from './attacker.ts'
import type { TestFolder } from './folder.ts'
import type { User } from './user.ts'

/** What the attacks on main's channels are made in. */
export interface Scene {
  readonly app: RunningApp
  readonly user: User
  readonly folder: TestFolder
  readonly server: AttackerServer
  /** Goes to a folder, and has a snapshot in which an autostart file lies. */
  readonly local: JobView
  /** Goes to a storage on the network. */
  readonly cloud: JobView
  readonly snapshot: string
  /** Folders that a person chose in dialogs, by purpose. */
  readonly chosen: Readonly<Record<'sources' | 'destination' | 'restore' | 'autostart' | 'home', FolderView>>
  /** What main proposes to back up. */
  readonly proposed: FolderView
}

/** A request that must not work, and the code of the refusal; or one that may work, because it harms nothing ("allowed"). */
export type Attack = readonly [name: string, request: unknown, answer: 'arguments' | 'aborted' | 'denied' | 'not-found' | 'credentials' | 'allowed']

export type Attacks<C extends Channel> = Readonly<Record<C, (scene: Scene) => readonly Attack[]>>

export const idOf = ({ id }: FolderView): { readonly id: string } => ({ id })
/** Of a folder that nobody chose. */
export const invented = { id: '00000000-0000-4000-8000-000000000000' }

export function inputOf({ config: { sources, destination, ...rest } }: JobView): JobConfigInput {
  return { ...rest, sources: sources.map(idOf), destination: destination.type === 'folder' ? { type: 'folder', folder: idOf(destination.folder) } : destination }
}

/** A restore of everything by default. */
export function restoring({ local, snapshot }: Scene, target: unknown, more: object = {}): unknown {
  return { place: { jobId: local.id }, snapshot, target, paths: [], except: [], overwrite: 'always', ...more }
}
