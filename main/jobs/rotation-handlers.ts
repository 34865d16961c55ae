import { join } from 'node:path'
import type { Request } from '../api/contract.ts'
import type { Handlers } from '../api/dispatch.ts'
import { MainError } from '../api/errors.ts'
import type { Ask } from '../authority/ask.ts'
import { rotationEndQuestion, rotationQuestion } from '../authority/rotation-questions.ts'
import type { Disks } from '../repositories/disks.ts'
import type { SizedDrive } from '../system/drives.ts'
import { folderOnDrive } from './drive-handlers.ts'
import type { JobStore } from './store.ts'

export interface RotationHandlerPorts {
  /** The drives that a person may keep backups on. Never rejects. */
  readonly drives: () => Promise<readonly SizedDrive[]>
  readonly store: Pick<JobStore, 'get' | 'all' | 'copies'>
  readonly disks: Pick<Disks, 'add' | 'remove'>
  readonly ask: Ask
  readonly onChange: () => void
}

/** Of one repository. */
const mostDisks = 8

/** Disks that take turns for a job. */
export function rotationHandlers(ports: RotationHandlerPorts): Pick<Handlers, Extract<keyof Handlers, `disk.${string}`>> {
  return {
    'disk.add': (request) => add(ports, request),
    'disk.remove': (request) => remove(ports, request),
  }
}

async function add(ports: RotationHandlerPorts, { jobId, id }: Request<'disk.add'>): Promise<void> {
  const { store, disks, ask, onChange } = ports
  const drive = (await ports.drives()).find((one) => one.id === id)
  if (!drive) throw new MainError('not-found', 'This disk is not attached any more.', { reason: 'disk' })
  const expectFit = (): string => {
    const { repository } = store.get(jobId)
    const { disk, rotation = [] } = repository
    if (!disk) throw new MainError('not-found', 'The job goes to no disk of its own.', { reason: 'disk' })
    if ([disk, ...rotation.map((one) => one.disk)].some((one) => one.id === id)) throw new MainError('exists', 'The disk takes turns already.', { reason: 'disk' })
    if (rotation.length + 1 >= mostDisks) throw new MainError('unsupported', `There are ${mostDisks} disks already.`, { reason: 'many-disks' })
    // What one disk lacks would be taken for forgotten in the copy of another.
    if (store.copies.of(repository.id).length > 0) throw new MainError('unsupported', 'The backup has copies.', { reason: 'has-copies' })
    return repository.id
  }
  expectFit()
  await ask(rotationQuestion(jobNames(ports, jobId), drive.name))
  await disks.add(expectFit(), drive, join(drive.root, folderOnDrive), join(drive.mount, folderOnDrive))
  onChange()
}

async function remove(ports: RotationHandlerPorts, { jobId, id }: Request<'disk.remove'>): Promise<void> {
  const { store, disks, ask, onChange } = ports
  const { disk, rotation = [] } = store.get(jobId).repository
  const found = [...(disk ? [disk] : []), ...rotation.map((one) => one.disk)].find((one) => one.id === id)
  if (!found) throw new MainError('not-found', 'The job does not go to this disk.', { reason: 'disk' })
  if (rotation.length === 0) throw new MainError('arguments', 'The job goes to this disk alone.', { reason: 'only-disk' })
  await ask(rotationEndQuestion(jobNames(ports, jobId), found.name))
  await disks.remove(store.get(jobId).repository.id, id)
  onChange()
}

/** All jobs that go to the repository of one. */
function jobNames({ store }: RotationHandlerPorts, jobId: string): readonly string[] {
  const { repository } = store.get(jobId)
  return store.all.filter((one) => one.repository.id === repository.id).map(({ config }) => config.name)
}
