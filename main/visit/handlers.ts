import type { Request } from '../api/contract.ts'
import type { Handlers } from '../api/dispatch.ts'
import { MainError } from '../api/errors.ts'
import type { Ask } from '../authority/ask.ts'
import type { Folders } from '../authority/folders.ts'
import { visitQuestion } from '../authority/questions.ts'
import type { Browsing } from '../jobs/browsing.ts'
import { expectStorageSecrets, isNewStorage } from '../jobs/destinations.ts'
import type { JobStore } from '../jobs/store.ts'
import { mergeSecrets } from '../settings/secrets.ts'
import type { Visits } from './visits.ts'

export interface VisitHandlerPorts {
  readonly visits: Visits
  readonly browsing: Pick<Browsing, 'machines'>
  readonly store: Pick<JobStore, 'all'>
  readonly folders: Folders
  readonly ask: Ask
}

export function visitHandlers(ports: VisitHandlerPorts): Pick<Handlers, 'visit.open' | 'visit.close'> {
  return {
    'visit.open': (request) => open(ports, request),
    'visit.close': ({ visitId }) => { ports.visits.end(visitId) },
  }
}

/** What lies in a storage that somebody else chose could be made to be restored: a person says that it is theirs before anything is read there. */
async function open({ visits, browsing, store, folders, ask }: VisitHandlerPorts, { destination: input, secrets: typed }: Request<'visit.open'>): Promise<{ readonly visitId: string }> {
  const destination = folders.destination(input)
  const secrets = mergeSecrets(undefined, typed)
  if (!secrets) throw new MainError('arguments', 'A backup is opened by its password or its recovery words.', { field: 'secrets.password' })
  expectStorageSecrets(destination, typed, true)
  if (isNewStorage(destination, store.all)) await ask(visitQuestion(destination))
  const { place: { id, ref } } = visits.begin(destination, secrets)
  try {
    const { repositoryId, machines } = await browsing.machines(ref)
    visits.opened(id, { repositoryId, machines })
  } catch (error) {
    visits.end(id)
    throw error
  }
  return { visitId: id }
}
