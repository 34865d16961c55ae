import { homedir, hostname } from 'node:os'
import { readRecoveryWords, recoveryProblem } from '../../engine/protocol/recovery-words.ts'
import type { Request, Response } from '../api/contract.ts'
import type { Handlers } from '../api/dispatch.ts'
import { EngineError, MainError } from '../api/errors.ts'
import type { Folders } from '../authority/folders.ts'
import { visitQuestion } from '../authority/questions.ts'
import type { Browsing } from '../jobs/browsing.ts'
import { expectStorageSecrets, isNewStorage } from '../jobs/destinations.ts'
import { exists } from '../jobs/reach.ts'
import { mergeSecrets } from '../settings/secrets.ts'
import { readingOf } from './address.ts'
import { importJobs, type ImportPorts } from './import.ts'
import { machineView, type Here } from './machines.ts'
import { machineIds, machineOf, type Visit } from './visits.ts'

export interface VisitHandlerPorts extends Omit<ImportPorts, 'here'> {
  readonly browsing: Pick<Browsing, 'machines'>
  readonly folders: Folders
  /** For new jobs. */
  readonly settings: { readonly value: { readonly defaultConcurrency: number } }
}

export function visitHandlers(ports: VisitHandlerPorts): Pick<Handlers, 'visit.open' | 'visit.address' | 'visit.close' | 'visit.machines' | 'visit.import'> {
  return {
    'visit.open': (request) => open(ports, request),
    'visit.address': ({ address }) => readingOf(address),
    'visit.close': ({ visitId }) => { ports.visits.end(visitId) },
    'visit.machines': ({ visitId }) => machines(ports, visitId),
    'visit.import': (request) => importJobs({ ...ports, here: (visit) => hereFor(ports, visit) }, request),
  }
}

/** What lies in a storage that somebody else chose could be made to be restored: a person says that it is theirs before anything is read there. */
async function open({ visits, browsing, store, folders, ask }: VisitHandlerPorts, { destination: input, secrets: typed }: Request<'visit.open'>): Promise<{ readonly visitId: string }> {
  const destination = folders.destination(input)
  const secrets = mergeSecrets(undefined, typed)
  if (!secrets) throw new MainError('arguments', 'A backup is opened by its password or its recovery words.', { field: 'secrets.password' })
  expectStorageSecrets(destination, typed, true)
  if (isNewStorage(destination, store.all) || folders.isOffered({ sources: [], destination: input })) await ask(visitQuestion(destination))
  const { place: { id, ref } } = visits.begin(destination, secrets)
  try {
    const { repositoryId, machines: left } = await browsing.machines(ref)
    visits.opened(id, { repositoryId, machines: left })
  } catch (error) {
    visits.end(id)
    throw explained(error, secrets.password)
  }
  return { visitId: id }
}

async function machines(ports: VisitHandlerPorts, visitId: string): Promise<Response<'visit.machines'>> {
  const visit = ports.visits.get(visitId)
  const here = hereFor(ports, visit)
  return Promise.all(machineIds(visit).map((id) => machineView(id, machineOf(visit, id), here, exists)))
}

function hereFor({ store, settings }: VisitHandlerPorts, { place }: Visit): Here {
  return {
    home: homedir(), host: hostname(), destination: place.repository.destination, names: store.all.map(({ config }) => config.name), concurrency: settings.value.defaultConcurrency,
  }
}

/** As many words as nobody's password has, and about as many as recovery keys have. */
const fewestWords = 8

/** Who has typed recovery words is told what is wrong with them, where that can be seen without the storage; nothing of them is repeated. */
function explained(error: unknown, typed: string): unknown {
  if (!(error instanceof EngineError) || error.wire.code !== 'password' || typed.trim().split(/\s+/).length < fewestWords) return error
  const read = readRecoveryWords(typed)
  return read.ok ? error : new MainError('password', 'The recovery words are not right.', { advice: recoveryProblem(read) })
}
