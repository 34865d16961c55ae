import { randomUUID } from 'node:crypto'
import { relative, sep } from 'node:path'
import { sameSpelling } from '../../engine/protocol/providers/address.ts'
import type { Destination, JobConfig, Request } from '../api/contract.ts'
import type { Handlers } from '../api/dispatch.ts'
import { MainError } from '../api/errors.ts'
import type { Ask } from '../authority/ask.ts'
import type { Folders } from '../authority/folders.ts'
import { copyQuestion, copyRemovalQuestion } from '../authority/questions.ts'
import { repositoryUrl } from '../repositories/address.ts'
import type { CopyRecord } from '../repositories/copies.ts'
import type { Care } from '../runs/care.ts'
import { hintKey, type Whereabouts } from '../repositories/whereabouts.ts'
import type { Copies } from '../runs/copies.ts'
import { mergeSecrets, type SecretStore } from '../settings/secrets.ts'
import type { Timers } from '../system/timers.ts'
import { expectStorageSecrets, isNewStorage } from './destinations.ts'
import { configProblem } from './engine-jobs.ts'
import type { JobRecord, JobStore } from './store.ts'

export interface CopyHandlerPorts {
  readonly store: JobStore
  readonly secrets: SecretStore
  readonly copies: Pick<Copies, 'run' | 'stop' | 'end' | 'forget'>
  readonly care: Pick<Care, 'stopCopies' | 'forget'>
  readonly whereabouts: Pick<Whereabouts, 'view' | 'refresh'>
  /** Remembers that somebody does not want to hear of something again. */
  readonly dismiss: (key: string) => void
  readonly folders: Pick<Folders, 'destination' | 'isOffered'>
  readonly ask: Ask
  readonly timers: Pick<Timers, 'now'>
  readonly onChange: () => void
}

/** Of one repository; all of them run one after the other. */
const mostCopies = 8

export function copyHandlers(ports: CopyHandlerPorts): Pick<Handlers, Extract<keyof Handlers, `copy.${string}`>> {
  const { store, copies, onChange } = ports
  return {
    'copy.add': (request) => add(ports, request),
    async 'copy.remove'({ copyId }) {
      const copy = store.copies.get(copyId)
      const job = store.all.find(({ repository }) => repository.id === copy.repository)
      await ports.ask(copyRemovalQuestion(job?.config.name ?? '', copy.destination))
      await endCopies(ports, [copy])
      await store.copies.remove(copyId)
      await dropCopies(ports, [copy])
      onChange()
    },
    'copy.run': ({ copyId }) => ({ runId: copies.run(copyId).id }),
    async 'copy.stop'({ copyId }) {
      await copies.stop(copyId)
      onChange()
    },
    'copy.dismissHint'({ jobId }) {
      const hint = ports.whereabouts.view(store.get(jobId))?.hint
      if (hint) ports.dismiss(hintKey(hint, jobId))
      onChange()
    },
  }
}

/** Whatever works on them ends. */
export async function endCopies({ copies, care }: Pick<CopyHandlerPorts, 'copies' | 'care'>, of: readonly CopyRecord[]): Promise<void> {
  await copies.end(of)
  await care.stopCopies(of)
}

/** Secrets and history of copies go with their records. */
export async function dropCopies({ store, secrets, copies, care }: Pick<CopyHandlerPorts, 'store' | 'secrets' | 'copies' | 'care'>, before: readonly CopyRecord[]): Promise<void> {
  for (const { id } of before) {
    if (store.copies.find(id)) continue
    await secrets.remove(id)
    copies.forget(id)
    care.forget(id)
  }
}

async function add(ports: CopyHandlerPorts, { jobId, destination: input, secrets: typed, removeVanished }: Request<'copy.add'>): Promise<{ readonly copyId: string }> {
  const { store, secrets, folders, ask, timers, onChange } = ports
  const destination = folders.destination(input)
  check(ports, store.get(jobId), destination)
  const merged = mergeSecrets(undefined, typed)
  if (!merged) throw new MainError('arguments', 'A copy needs a password.', { field: 'secrets.password' })
  expectStorageSecrets(destination, typed, true)
  if (isNewStorage(destination, store.all) || folders.isOffered({ sources: [], destination: input })) await ask(copyQuestion(store.get(jobId).config.name, destination))
  const copyId = randomUUID()
  // Nothing uses them until there is a record that has their name.
  await secrets.set(copyId, repositoryUrl(destination), merged)
  try {
    const record = store.get(jobId)
    check(ports, record, destination)
    await store.copies.add({ repository: record.repository.id, destination, removeVanished, addedMs: timers.now() }, copyId)
  } catch (error) {
    await secrets.remove(copyId)
    throw error
  }
  void ports.whereabouts.refresh()
  onChange()
  return { copyId }
}

/** A backup that held its own copies would grow with each of them. Errors: `arguments`. */
export function expectNoCopyWithin(config: JobConfig, copies: readonly CopyRecord[]): void {
  if (!copies.some(({ destination }) => configProblem({ ...config, destination }) === 'destination')) return
  throw new MainError('arguments', 'A copy of the backup lies in a source.', { field: 'config.sources', reason: 'holds-copy' })
}

/** Errors: `exists`, `arguments`, `unsupported`. */
function check({ store }: Pick<CopyHandlerPorts, 'store'>, { repository }: JobRecord, destination: Destination): void {
  const others = store.copies.of(repository.id)
  if (others.length >= mostCopies) throw new MainError('unsupported', `There are ${mostCopies} copies already.`, { reason: 'many-copies' })
  // What one of its disks lacks would be taken for forgotten in the copy of another.
  if (repository.rotation) throw new MainError('unsupported', 'The backup is on disks that take turns.', { reason: 'rotates' })
  const jobs = store.all.filter((one) => one.repository.id === repository.id)
  if (jobs.some(({ config }) => configProblem({ ...config, destination }) === 'destination')) throw new MainError('arguments', 'The copy would lie inside a source.', { field: 'destination', reason: 'in-source' })
  if (isAt(repository.destination, destination)) throw new MainError('exists', 'The backup itself is there.', { reason: 'copy-of-itself' })
  if (others.some((one) => isAt(one.destination, destination))) throw new MainError('exists', 'A copy is there already.', { reason: 'copy-there' })
}

/** At the same address, or one folder within the other. */
function isAt(one: Destination, other: Destination): boolean {
  if (one.type === 'folder' && other.type === 'folder') return isWithin(one.path, other.path) || isWithin(other.path, one.path)
  return sameSpelling(repositoryUrl(one)) === sameSpelling(repositoryUrl(other))
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`)
}
