import { createHmac } from 'node:crypto'
import * as v from 'valibot'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { ObjectName } from '../../backend/backend.ts'
import { tryWithRights } from '../../backend/rights.ts'
import type { Random } from '../crypto.ts'
import { fetchIfThere } from '../fetch.ts'
import type { RepositoryKeys } from '../keys.ts'
import { randomName } from '../names.ts'
import type { Repository } from '../repository.ts'
import { openObject, sealObject } from '../sealed.ts'
import { forEachAtOnce, listAll } from './listing.ts'

/** What a machine leaves in the repository so that another can take its place. Holds no secrets. */
export interface MachineSettings {
  readonly host: string
  readonly user: string
  /** Name and version of the program that left it. */
  readonly program: string
  /** ms since 1970, by that machine's clock. */
  readonly savedMs: number
  /** JSON of whoever runs the backups, who alone knows what it means. */
  readonly settings: string
}

/** Characters of `settings` at most. */
const longestSettings = 1_000_000
/** More machines are not read. */
const mostMachines = 200
const downloads = 8

const machineSchema = v.pipe(v.string(), v.parseJson(), v.object({
  version: v.literal(1),
  host: v.pipe(v.string(), v.maxLength(1024)),
  user: v.pipe(v.string(), v.maxLength(1024)),
  program: v.pipe(v.string(), v.maxLength(4096)),
  savedMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  settings: v.pipe(v.string(), v.maxLength(longestSettings)),
}))

interface Version {
  readonly name: ObjectName
  readonly group: string
  readonly counter: number
}

/** The same for a user of a machine wherever it is asked, and tells the storage nothing. */
function groupOf(keys: RepositoryKeys, { host, user }: Pick<MachineSettings, 'host' | 'user'>): string {
  return createHmac('sha256', keys.metadata).update(`machine\0${host}\0${user}`).digest('hex').slice(0, 32)
}

/** Undefined: a stranger's, or a later version's. */
function parseName(name: ObjectName): Version | undefined {
  const match = /^machines\/([0-9a-f]{32})\/([1-9][0-9]{0,14})-[0-9a-f]{32}$/.exec(name)
  return match?.[1] === undefined ? undefined : { name, group: match[1], counter: Number(match[2]) }
}

/** Newest first: by counter, and of two that did not know of each other by name. */
function byAge(a: Version, b: Version): number {
  return b.counter - a.counter || (a.name < b.name ? 1 : -1)
}

async function versionsOf(repository: Repository, prefix: string, signal: AbortSignal): Promise<readonly Version[]> {
  const infos = await listAll(repository.backend, prefix, signal)
  return infos.flatMap(({ name }) => parseName(name) ?? []).sort(byAge)
}

/**
 * Keeps what a machine needs to come back; nothing is written where the newest says the same. Then the older ones go, where rights allow it. Broken off,
 * the newest or the one before is there; repeating is harmless. @returns whether something was written. Errors: `unavailable` when the storage does
 * not give it back, those of the storage.
 */
export async function saveMachine(repository: Repository, machine: MachineSettings, random: Random, signal: AbortSignal): Promise<boolean> {
  if (machine.settings.length > longestSettings) throw new HoldfastError('internal', 'The settings are too large to keep.')
  const prefix = `machines/${groupOf(repository.keys, machine)}/`
  const before = await versionsOf(repository, prefix, signal)
  const [newest] = before
  const kept = newest && await readVersion(repository, newest, signal)
  if (kept?.settings === machine.settings) return false
  const name = `${prefix}${(newest?.counter ?? 0) + 1}-${randomName(random)}`
  const bytes = sealObject(repository.keys, name, 'machine', Buffer.from(JSON.stringify({ version: 1, ...machine })))
  await repository.backend.put(name, { type: 'bytes', bytes }, {}, signal)
  const stored = await readVersion(repository, { name, group: '', counter: 0 }, signal)
  if (!stored) throw new HoldfastError('unavailable', 'The storage does not give back what was written to it.', { data: { object: name } })
  for (const old of before) await tryWithRights(() => repository.backend.remove(old.name, signal))
  return true
}

/** The newest that can be read of each machine and user, the newest of all first. Errors: those of the storage. */
export async function readMachines(repository: Repository, signal: AbortSignal): Promise<readonly MachineSettings[]> {
  const groups = Map.groupBy(await versionsOf(repository, 'machines/', signal), ({ group }) => group)
  const found: MachineSettings[] = []
  await forEachAtOnce([...groups.values()].slice(0, mostMachines), downloads, async (versions) => {
    for (const version of versions.slice(0, 3)) {
      const machine = await readVersion(repository, version, signal)
      if (!machine) continue
      found.push(machine)
      return
    }
  })
  return found.sort((a, b) => b.savedMs - a.savedMs || (a.host < b.host ? -1 : 1))
}

/** Undefined: gone, damaged or of a later version; an older one may do. */
async function readVersion(repository: Repository, { name }: Version, signal: AbortSignal): Promise<MachineSettings | undefined> {
  try {
    return await fetchIfThere(() => repository.backend.get(name, 'all', signal), (bytes) => {
      const plain = openObject(repository.keys, name, 'machine', bytes)
      const parsed = v.safeParse(machineSchema, Buffer.from(plain).toString('utf8'))
      if (!parsed.success) throw new HoldfastError('damaged', `${name} holds something unexpected.`, { data: { object: name } })
      const { version: _version, ...machine } = parsed.output
      return machine
    })
  } catch (error) {
    if (hasCode(error, 'damaged', 'version')) return undefined
    throw error
  }
}
