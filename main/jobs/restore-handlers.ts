import type { RestoreInto } from '../../engine/protocol/job.ts'
import type { PlaceRef, Request, RestoreTo } from '../api/contract.ts'
import type { Handlers } from '../api/dispatch.ts'
import { MainError } from '../api/errors.ts'
import type { Ask } from '../authority/ask.ts'
import type { Folders } from '../authority/folders.ts'
import { originalsQuestion, restoreQuestion } from '../authority/questions.ts'
import type { Sensitivity } from '../authority/sensitive.ts'
import type { Places } from '../repositories/places.ts'
import type { Restores } from '../runs/restores.ts'
import type { Browsing } from './browsing.ts'
import type { RestoreRequest } from './engine-jobs.ts'
import type { JobStore } from './store.ts'

export interface RestoreHandlerPorts {
  readonly store: Pick<JobStore, 'all' | 'get'>
  readonly browsing: Pick<Browsing, 'plan'>
  readonly restores: Restores
  readonly places: Places
  readonly folders: Folders
  readonly ask: Ask
  /** What is special about a folder that somebody wants to restore to. */
  readonly sensitivity: (target: string) => Sensitivity | undefined
}

export function restoreHandlers(ports: RestoreHandlerPorts): Pick<Handlers, Extract<keyof Handlers, `restore.${string}`>> {
  const { browsing, restores } = ports
  return {
    'restore.plan': ({ target, ...request }) => browsing.plan(request, intoOf(ports, request.place, target)),
    'restore.start': (request) => start(ports, request),
    async 'restore.retry'({ restoreId }) {
      const request = restores.again(restoreId)
      await confirm(ports, request.target)
      return { restoreId: restores.start(request) }
    },
    'restore.pause': ({ restoreId }) => { restores.get(restoreId).pause() },
    'restore.resume': ({ restoreId }) => { restores.get(restoreId).resume() },
    'restore.stop': ({ restoreId }) => { restores.get(restoreId).stop('cancel') },
    'restore.dismiss': ({ restoreId }) => { restores.dismiss(restoreId) },
  }
}

/** A folder that was chosen is good for one restore, so that no later one writes there unnoticed. */
async function start(ports: RestoreHandlerPorts, { target, ...request }: Request<'restore.start'>): Promise<{ readonly restoreId: string }> {
  const { restores, folders, places } = ports
  places.open(request.place)
  await confirm(ports, intoOf(ports, request.place, target))
  // While somebody was asked, another request may have used it.
  const into: RestoreRequest['target'] = intoOf(ports, request.place, target)
  const restoreId = restores.start({ ...request, target: into })
  if ('id' in target) folders.spend(target)
  return { restoreId }
}

/** Errors: `aborted` with `data.declined`. */
async function confirm({ ask, sensitivity }: RestoreHandlerPorts, target: RestoreInto): Promise<void> {
  if (typeof target !== 'string') return ask(originalsQuestion(target.origins))
  const reason = sensitivity(target)
  if (reason) await ask(restoreQuestion(target, reason))
}

/** A snapshot may say that its files were anywhere; only where jobs of this computer back up from is restored to. Errors: `arguments`, `not-found`. */
function intoOf({ folders, store }: RestoreHandlerPorts, place: PlaceRef, target: RestoreTo): RestoreInto {
  if ('id' in target) return folders.path('restore', target)
  if (!('jobId' in place)) throw new MainError('arguments', 'Where the files were is known only of jobs of this computer.', { field: 'target' })
  const { repository } = store.get(place.jobId)
  return { origins: [...new Set(store.all.filter((job) => job.repository.id === repository.id).flatMap(({ config }) => config.sources))] }
}
