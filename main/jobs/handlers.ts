import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { JobConfig, JobConfigInput, JobConfigView, Request, TestView } from '../api/contract.ts'
import { defaultRetention } from '../api/retention.ts'
import { MainError } from '../api/errors.ts'
import type { Handlers } from '../api/dispatch.ts'
import type { Ask } from '../authority/ask.ts'
import type { Folders } from '../authority/folders.ts'
import { lossesOf, retentionLoss } from '../authority/protection.ts'
import { acknowledgeQuestion, changeQuestion, olderQuestion, passwordQuestion, proposalQuestion, removalQuestion, retentionQuestion, storageQuestion, tryQuestion } from '../authority/questions.ts'
import type { Sensitivity } from '../authority/sensitive.ts'
import type { PasswordReminder } from '../repositories/reminder.ts'
import type { RepositoryWatch } from '../repositories/watch.ts'
import type { Reports } from '../reports/reports.ts'
import { sharedRepository } from '../repositories/sharing.ts'
import { mergeSecrets } from '../settings/secrets.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { LogFiles } from '../system/logs.ts'
import type { Backups } from '../runs/backups.ts'
import type { Browsing } from './browsing.ts'
import { commandLine } from './command-line.ts'
import type { DestinationTests } from './destination-test.ts'
import { expectStorageSecrets, isNewStorage, isTriedOnlyWhenAsked, secretsOfMoved, testDestination, type Arrival } from './destinations.ts'
import { dropCopies, endCopies, expectNoCopyWithin } from './copy-handlers.ts'
import { configProblem } from './engine-jobs.ts'
import { keptSecrets, repositoryUrl } from '../repositories/address.ts'
import type { Disks } from '../repositories/disks.ts'
import { restoreHandlers } from './restore-handlers.ts'
import type { Places } from '../repositories/places.ts'
import type { RunHistory } from '../runs/history.ts'
import type { Care } from '../runs/care.ts'
import type { Copies } from '../runs/copies.ts'
import type { Restores } from '../runs/restores.ts'
import type { PasswordChecks } from './password-check.ts'
import type { RetentionPreviews } from './retention-preview.ts'
import { mostJobs, type JobRecord, type JobStore } from './store.ts'

export interface JobHandlerPorts {
  readonly store: JobStore
  readonly history: RunHistory
  readonly secrets: SecretStore
  readonly backups: Backups
  readonly restores: Restores
  readonly care: Pick<Care, 'run' | 'stop' | 'stopCopies' | 'forget' | 'problems'>
  readonly copies: Pick<Copies, 'end' | 'forget' | 'problems' | 'run' | 'stop'>
  readonly previews: Pick<RetentionPreviews, 'run'>
  readonly browsing: Browsing
  readonly places: Places
  readonly watch: Pick<RepositoryWatch, 'acknowledge' | 'holdsOfOthers' | 'listing'>
  readonly reports: Pick<Reports, 'forget'>
  readonly reminder: Pick<PasswordReminder, 'asksFor' | 'known' | 'tick'>
  readonly passwords: Pick<PasswordChecks, 'check' | 'add'>
  readonly tests: DestinationTests
  readonly disks: Pick<Disks, 'look' | 'awaited'>
  readonly folders: Folders
  readonly ask: Ask
  /** What is special about a folder that somebody wants to restore to. */
  readonly sensitivity: (target: string) => Sensitivity | undefined
  readonly logs: Pick<LogFiles, 'linesOf'>
  readonly copy: (text: string) => void
  /** Jobs, secrets or history changed. */
  readonly onChange: () => void
}

type Named<Prefix extends string> = Pick<Handlers, Extract<keyof Handlers, `${Prefix}.${string}`>>

export function jobHandlers(ports: JobHandlerPorts): Named<'job' | 'jobs' | 'retention'> {
  const { store, backups, browsing, history, onChange } = ports
  return {
    'job.add': (request) => add(ports, request),
    'job.update': (request) => update(ports, request),
    async 'job.remove'({ jobId }) {
      const { config, repository } = store.get(jobId)
      if (backups.of(jobId)) throw new MainError('busy', 'The job is running.')
      await ports.ask(removalQuestion(config.name))
      if (backups.of(jobId)) throw new MainError('busy', 'The job is running.')
      browsing.close({ jobId })
      await ports.care.stop(jobId)
      const copied = store.copies.of(repository.id)
      await endCopies(ports, copied)
      if (backups.of(jobId)) throw new MainError('busy', 'The job is running.')
      await store.remove(jobId)
      await dropSecrets(ports, repository.id)
      await dropCopies(ports, copied)
      history.remove(jobId)
      ports.care.forget(jobId)
      backups.watches.tick()
      await ports.reports.forget(jobId)
      ports.reminder.tick()
      onChange()
    },
    'job.run': ({ jobId }) => ({ runId: backups.run(jobId, 'manual').id }),
    async 'job.acceptOlder'({ jobId }) {
      const { config } = store.get(jobId)
      if (backups.of(jobId)) throw new MainError('busy', 'The job is running.')
      await ports.ask(olderQuestion(config.name))
      browsing.close({ jobId })
      return { runId: backups.run(jobId, 'manual', true).id }
    },
    async 'job.acknowledge'({ jobId, of }) {
      const record = store.get(jobId)
      if (of && !ports.watch.holdsOfOthers(record).some(({ job, host }) => job === of.job && host === of.host)) {
        throw new MainError('not-found', 'Nothing of that job is held in this repository.')
      }
      await ports.ask(acknowledgeQuestion(of?.job ?? record.config.name, of?.host))
      await ports.watch.acknowledge(jobId, of)
    },
    'job.care': ({ jobId }) => ({ runId: ports.care.run(jobId).id }),
    'job.copyCommand': ({ jobId }) => { ports.copy(commandLine(store.get(jobId), hostname())) },
    'retention.preview': ({ jobId, retention }) => ports.previews.run(store.get(jobId), retention),
    'job.pause': ({ jobId }) => { backups.pause(jobId) },
    'job.resume': ({ jobId }) => { backups.resume(jobId) },
    'job.stop': ({ jobId, mode }) => { backups.stop(jobId, mode) },
    'jobs.pauseAll': ({ length }) => { backups.pauseAll(length) },
    'jobs.resumeAll': () => { backups.resumeAll() },
  }
}

async function add({ store, secrets, backups, folders, disks, ask, onChange }: JobHandlerPorts, { config: input, secrets: typed }: Request<'job.add'>): Promise<{ readonly jobId: string }> {
  const config = folders.config(input)
  check(config)
  const merged = mergeSecrets(undefined, typed)
  if (!merged) throw new MainError('arguments', 'A job needs a password.', { field: 'secrets.password' })
  if (store.all.length >= mostJobs) throw new MainError('unsupported', `There are ${mostJobs} jobs already.`, { reason: 'many-jobs' })
  expectStorageSecrets(config.destination, typed, true)
  store.expectFreeName(config.name)
  if (isNewStorage(config.destination, store.all)) await ask(storageQuestion(config))
  else if (folders.isOffered(input)) await ask(proposalQuestion(config))
  const losses = retentionLoss(defaultRetention, config.retention)
  if (losses.length > 0) await ask(retentionQuestion(config.name, losses))
  const address = repositoryUrl(config.destination)
  const shared = sharedRepository(store.repositories.all, secrets, { address, secrets: merged })
  if (shared) expectNoCopyWithin(config, store.copies.of(shared.id))
  const record = await store.add(config, shared?.id)
  try {
    if (!shared) await secrets.set(record.repository.id, address, merged)
  } catch (error) {
    await store.remove(record.id)
    throw error
  }
  // Its disk is known from now on, by which it is found again.
  await disks.look()
  backups.watches.tick()
  onChange()
  return { jobId: record.id }
}

async function update(ports: JobHandlerPorts, { jobId, config: input, secrets: typed }: Request<'job.update'>): Promise<void> {
  const { store, secrets, folders, browsing, onChange } = ports
  const record = store.get(jobId)
  const config = { ...folders.config(input, record), name: record.config.name }
  check(config)
  if (folders.isOffered(input)) await ports.ask(proposalQuestion(config))
  expectNoCopyWithin(config, store.copies.of(record.repository.id))
  const address = repositoryUrl(config.destination)
  // At the path of a disk that is away another one may be mounted now, which somebody has chosen there.
  const isOnOther = ports.disks.awaited(record.repository) !== undefined && isChosenAnew(input, folders.view(jobId, record.config))
  const moved = isOnOther || address !== repositoryUrl(record.config.destination)
  if (moved && isTriedOnlyWhenAsked(config.destination, store.all)) await ports.ask(tryQuestion(config.destination))
  const arrival = moved ? await secretsOfMoved(ports, record, config.destination, typed) : undefined
  if (!arrival) expectStorageSecrets(config.destination, typed, false)
  await askForChange(ports, record, config, { moved: arrival, password: typed.password })
  await ports.care.stop(jobId)
  store.get(jobId)
  if (arrival || typed.password !== undefined || typed.storage !== undefined) {
    const merged = arrival?.secrets ?? mergeSecrets(keptSecrets(secrets, record.repository), typed)
    if (!merged) throw new MainError('password', 'The stored password cannot be opened; enter it again.', { missing: true })
    await endCopies(ports, store.copies.of(record.repository.id))
    // Between the two writes what moves has no record yet that names its secrets: nothing uses them, and the old ones are as they were.
    const repository = arrival ? newHome(ports, record, address, arrival) : record.repository.id
    await secrets.set(repository, address, merged)
    await store.update(jobId, config, arrival && { repository, sameRepository: arrival.sameRepository })
    await dropSecrets(ports, record.repository.id)
    if (typed.password !== undefined) ports.reminder.known(repository)
  } else await store.update(jobId, config)
  browsing.close({ jobId })
  await ports.disks.look()
  ports.backups.watches.tick()
  onChange()
}

/** The record of the place that a job moves to: one that other jobs use with the same secrets, or a new one. */
function newHome({ store, secrets }: JobHandlerPorts, record: JobRecord, address: string, arrival: Arrival): string {
  const repositoryId = arrival.sameRepository ? record.repository.repositoryId : undefined
  // At the same address only another disk makes it a move.
  const isSamePath = address === repositoryUrl(record.config.destination)
  const others = store.repositories.all.filter(({ id }) => !isSamePath || id !== record.repository.id)
  return sharedRepository(others, secrets, { address, secrets: arrival.secrets, repositoryId })?.id ?? randomUUID()
}

/** Whether the destination is a folder that was chosen in a dialog just now, and not the one that the job has. */
function isChosenAnew({ destination }: JobConfigInput, { destination: held }: JobConfigView): boolean {
  return destination.type === 'folder' && held.type === 'folder' && destination.folder.id !== held.folder.id
}

/** Secrets go with the last job that used them. */
async function dropSecrets({ store, secrets }: JobHandlerPorts, repository: string): Promise<void> {
  if (!store.repositories.find(repository)) await secrets.remove(repository)
}

interface AskedChange {
  readonly moved: { readonly sameRepository: boolean } | undefined
  readonly password: string | undefined
}

async function askForChange({ ask, secrets }: JobHandlerPorts, record: JobRecord, config: JobConfig, change: AskedChange): Promise<void> {
  const losses = lossesOf(record.config, config)
  // Where a repository is there already, a wrong password opens nothing; one that is yet to be made would get it.
  const kept = change.moved || record.repository.repositoryId !== undefined ? undefined : keptSecrets(secrets, record.repository)
  const password = kept !== undefined && change.password !== undefined && change.password !== kept.password
  if (!change.moved && !password && losses.length === 0) return
  const moved = change.moved ? { moved: { from: record.config.destination, to: config.destination, sameRepository: change.moved.sameRepository } } : {}
  await ask(changeQuestion({ name: record.config.name, ...moved, password, losses }))
}

function check(config: JobConfig): void {
  const field = configProblem(config)
  if (field === 'destination') throw new MainError('arguments', 'The destination lies inside a source.', { field: 'config.destination' })
  if (field === 'sources') throw new MainError('arguments', 'A source is named twice.', { field: 'config.sources' })
}

export function historyHandlers({ history, care, copies, restores, logs, copy, store }: JobHandlerPorts): Named<'history'> {
  return {
    'history.runs': ({ jobId, limit, before }) => history.page(store.get(jobId).id, limit, before),
    'history.problems': ({ jobId, runId }) => restores.problems(runId) ?? care.problems(jobId, runId) ?? copies.problems(jobId, runId) ?? history.problems(store.get(jobId).id, runId),
    async 'history.copyLog'({ runId }) {
      const lines = await logs.linesOf(runId)
      copy(lines.join('\n'))
      return { lines: lines.length }
    },
  }
}

export function repositoryHandlers(ports: JobHandlerPorts): Named<'browse' | 'restore' | 'password'> & Pick<Handlers, 'destination.test'> {
  const { browsing } = ports
  return {
    'destination.test': (request) => test(ports, request),
    async 'password.check'({ jobId, password }) {
      const record = askedRecord(ports, jobId)
      const found = await ports.passwords.check(record, password)
      if (found.right) ports.reminder.known(record.repository.id)
      return found
    },
    async 'password.add'({ jobId, password }) {
      await ports.ask(passwordQuestion(askedRecord(ports, jobId).config.name))
      const record = askedRecord(ports, jobId)
      await ports.passwords.add(record, password)
      ports.reminder.known(record.repository.id)
    },
    async 'browse.snapshots'({ place }) {
      const found = 'jobId' in place ? ports.watch.listing(place.jobId) : undefined
      const { held, ...listing } = await browsing.snapshots(place)
      found?.(held)
      return listing
    },
    'browse.list': (request) => browsing.list(request),
    'browse.search': (request) => browsing.search(request),
    'browse.changes': (request) => browsing.changes(request),
    'browse.preview': (request) => browsing.preview(request),
    'browse.compare': (request) => browsing.compare(request),
    'browse.versions': (request) => browsing.versions(request),
    ...restoreHandlers(ports),
  }
}

/** The window may try passwords only of what a person is asked for. */
function askedRecord({ store, reminder }: JobHandlerPorts, jobId: string): JobRecord {
  const record = store.get(jobId)
  if (!reminder.asksFor(record.repository.id)) throw new MainError('not-found', 'The password of this job is not asked for now.')
  return record
}

async function test(ports: JobHandlerPorts, { destination: input, secrets, jobId }: Request<'destination.test'>): Promise<TestView> {
  const record = jobId === undefined ? undefined : ports.store.get(jobId)
  const destination = ports.folders.destination(input, record)
  if (isTriedOnlyWhenAsked(destination, ports.store.all)) await ports.ask(tryQuestion(destination))
  return testDestination(ports, record, destination, secrets)
}
