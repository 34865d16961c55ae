import { openBrowser } from '../../engine/commands/browse.ts'
import { init, type RepositoryAddress } from '../../engine/commands/init.ts'
import { addKeyTo, listKeysOf, removeKeyFrom } from '../../engine/commands/key.ts'
import type { CheckJob, EngineJob, ForgetJob } from '../../engine/protocol/job.ts'
import { good, type Row } from './plans.ts'
import { endingOf, type Ending, type Subject } from './table.ts'
import { never, open, type Template, type TemplateCopy } from './template.ts'

/** A command that is a job, on copies of the template. */
export function jobSubject(template: Template, type: EngineJob['type'], parts: Pick<Subject, 'usesUp' | 'readsOnly'> & Partial<Subject>): Subject {
  return {
    name: type,
    prepare: () => template.copy(),
    run: (copy, url, patienceMs, signal) => copy.run({ ...copy.job(type, url), patienceMs }, signal),
    prove: (copy) => copy.prove(),
    ...parts,
  }
}

/** Every byte is there and right. */
export async function checked(copy: TemplateCopy): Promise<string[]> {
  const check = await copy.run(copy.job('check'))
  return check.outcome === 'success' ? [] : [`check found ${JSON.stringify(check.details)}`]
}

/** What only its reader can tell to be wrong: a check does not read it. A flag says all with its name. */
const unchecked = ['probe/', 'intents/', 'deleted/', 'expired/']

/**
 * After the storage kept something else than it was given: a check tells so; snapshots of old come back as they were; and once it is
 * repaired, and what cannot be is forgotten, the next backup is whole.
 */
export async function found(copy: TemplateCopy, { prefix }: Row): Promise<string[]> {
  return [...await seen(copy, prefix), ...await copy.proveOld(), ...await recovered(copy, prefix)]
}

/** The same for a prune, which reads back what it moves, and its records: a wrong one is replaced, and may be left to be told of and tidied up. */
export async function foundAfterPrune(copy: TemplateCopy, { prefix }: Row): Promise<string[]> {
  const check = await endingOf(copy.run(copy.job('check')))
  // A decision that nobody can read is told as a snapshot that cannot be restored.
  const bad = check.word === 'failed' && prefix !== 'snapshots/' ? [`check ended with ${check.word} (${check.message})`] : []
  return [...bad, ...await copy.proveOld(), ...await recovered(copy, prefix), ...await pruned(copy)]
}

/** The same for a repair, which leaves to a prune what it has replaced: only the next backup is whole. */
export async function foundAfterRepair(copy: TemplateCopy, { prefix }: Pick<Row, 'prefix'>): Promise<string[]> {
  return [...await recovered(copy, prefix), ...await pruned(copy)]
}

async function pruned(copy: TemplateCopy): Promise<string[]> {
  const { word, message } = await endingOf(copy.run(copy.job('prune')))
  return good.includes(word) ? await copy.proveLatest() : [`the next prune ended with ${word} (${message})`]
}

async function seen(copy: TemplateCopy, prefix: string): Promise<string[]> {
  const check = await endingOf(copy.run(copy.job('check')))
  return (check.word === 'success') === unchecked.includes(prefix) ? [] : [`check ended with ${check.word} (${check.message})`]
}

async function recovered(copy: TemplateCopy, prefix: string): Promise<string[]> {
  const unchanged = await endingOf(copy.run(copy.job('backup')))
  await copy.run({ ...copy.job('check') as CheckJob, repair: true })
  if (prefix === 'snapshots/') await forgetDamaged(copy)
  copy.change()
  const backup = await endingOf(copy.run(copy.job('backup')))
  const bad = [unchanged, backup].filter(({ word }) => !good.includes(word))
  return bad.length > 0 ? bad.map(({ word, message }) => `the next backup ended with ${word} (${message})`) : copy.proveLatest()
}

/** A repository that lost its index and has wrong bits in some packs, all of which the sources can heal. */
export async function damagedCopy(template: Template): Promise<TemplateCopy> {
  const copy = await template.copy()
  await copy.run(copy.job('backup'))
  await using backend = await open(copy.url)
  for await (const { name } of backend.list('index/', never)) await backend.remove(name, never)
  // The packs of d.bin and e.bin.
  for await (const { name, size } of backend.list('packs/', never)) {
    if (size < 150_000 || size > 400_000) continue
    const bytes = Uint8Array.from(await backend.get(name, 'all', never))
    bytes[1000] = (bytes[1000] ?? 0) ^ 1
    await backend.put(name, { type: 'bytes', bytes }, {}, never)
  }
  return copy
}

/** A repair in peace, and what whoever comes next does. */
export async function isRepaired(copy: TemplateCopy): Promise<string[]> {
  await copy.run({ ...copy.job('check') as CheckJob, repair: true })
  const backup = await endingOf(copy.run(copy.job('backup')))
  const prune = await endingOf(copy.run(copy.job('prune')))
  const bad = [backup, prune].filter(({ word }) => !good.includes(word))
  return bad.length > 0 ? bad.map(({ word, message }) => `after the repair: ${word} (${message})`) : copy.prove()
}

/** A snapshot whose object is wrong is named by the check; only forgetting it helps. */
async function forgetDamaged(copy: TemplateCopy): Promise<void> {
  const common = copy.job('forget') as ForgetJob
  for (const id of ['photos@2', 'photos@4', 'other@1']) {
    await copy.run({ type: 'forget', repository: common.repository, home: common.home, concurrency: 1, snapshots: [id], dryRun: false }).catch(() => undefined)
  }
}

type Small = (copy: TemplateCopy, address: RepositoryAddress, signal: AbortSignal) => Promise<unknown>

/** A command that is no job. */
export function smallSubject(template: Template, name: string, run: Small, parts: Partial<Subject> = {}): Subject {
  return {
    name,
    prepare: () => template.copy(),
    run: async (copy, repository, patienceMs, signal) => {
      await run(copy, { repository, home: copy.world.home, concurrency: 4, patienceMs }, signal)
      return undefined
    },
    usesUp: false,
    readsOnly: true,
    prove: opens,
    ...parts,
  }
}

export const runInit: Small = (copy, address, signal) => init(address, copy.context(signal))

export const runKeyAdd: Small = (copy, address, signal) => addKeyTo(address, 'second', copy.context(signal))

/** Removes a key that was added before, in peace. */
export const runKeyRemove: Small = async (copy, address, signal) => {
  const keys = await listKeysOf({ ...address, repository: copy.url }, copy.context())
  await removeKeyFrom(address, keys.find(({ current }) => !current)?.name ?? '', copy.context(signal))
}

export const runKeyList: Small = (copy, address, signal) => listKeysOf(address, copy.context(signal))

export const runSnapshots: Small = async (copy, address, signal) => {
  await using browser = await openBrowser({ ...address, type: 'browse' }, copy.context(signal))
  await browser.snapshots()
}

export const runList: Small = async (copy, address, signal) => {
  await using browser = await openBrowser({ ...address, type: 'browse' }, copy.context(signal))
  const { entries } = await browser.list({ type: 'list', snapshot: 'photos@3', path: Buffer.from('source/small'), limit: 100 })
  if (entries.length !== 20) throw new Error(`${entries.length} entries instead of 20`)
}

/** Says what was said before too, so that there is something to tidy up. */
export const runAnnotate: Small = async (copy, address, signal) => {
  await using browser = await openBrowser({ ...address, type: 'browse' }, copy.context(signal))
  const { annotation } = await browser.annotate({ snapshot: 'photos@3', change: { pinned: true, name: 'kept' } })
  if (!annotation.pinned || annotation.name !== 'kept') throw new Error(`it says ${JSON.stringify(annotation)}`)
}

/** A note that nobody can read pins, is told by a check, and goes with a repair. */
export async function isToldAndRepaired(copy: TemplateCopy): Promise<string[]> {
  const before = await endingOf(copy.run(copy.job('check')))
  await copy.run({ ...copy.job('check') as CheckJob, repair: true })
  return [...(before.word === 'warnings' ? [] : [`check ended with ${before.word} (${before.message})`]), ...await checked(copy)]
}

/** The password opens the repository. */
export async function opens(copy: TemplateCopy, password = copy.world.password): Promise<string[]> {
  const { word, message } = await opened(copy, password)
  return word === 'success' ? [] : [`${password} does not open it: ${word} (${message})`]
}

/** It does not, for this reason. */
export async function isRefused(copy: TemplateCopy, code: string, password = copy.world.password): Promise<string[]> {
  const { word } = await opened(copy, password)
  return word === code ? [] : [`${password} is answered with ${word} instead of ${code}`]
}

function opened(copy: TemplateCopy, password: string): Promise<Ending> {
  const context = { ...copy.context(), secrets: { password, storage: {} } }
  return endingOf(listKeysOf({ repository: copy.url, home: copy.world.home, concurrency: 1 }, context).then(() => undefined))
}

/** After an init, however it ended, another one makes the repository or finds it made; and it bears a backup. */
export async function isMade(copy: TemplateCopy): Promise<string[]> {
  const again = await endingOf(init({ repository: copy.url, home: copy.world.home, concurrency: 1 }, copy.context()))
  return ['success', 'exists'].includes(again.word) ? opens(copy) : [`the next init ended with ${again.word} (${again.message})`]
}
