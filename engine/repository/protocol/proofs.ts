import * as v from 'valibot'
import type { ObjectInfo, ObjectName } from '../../backend/backend.ts'
import { tryWithRights } from '../../backend/rights.ts'
import { hasCode, type HoldfastError } from '../../base/errors.ts'
import { drillProof, type DrillProof } from '../../protocol/drill.ts'
import type { Random } from '../crypto.ts'
import { fetchIfThere } from '../fetch.ts'
import { randomName } from '../names.ts'
import type { Repository } from '../repository.ts'
import { openObject, sealObject } from '../sealed.ts'
import { encodeJson, parseVersioned, type Versioned } from './json.ts'
import { listAll } from './listing.ts'

/**
 * Proofs: when packs were read back, and how restore drills ended. Nothing rests on them: whoever lacks one reads packs once more, or holds a drill. So
 * they are no part of the protocol, may be removed at any time, and any number of machines may write them.
 */
type ProofKind = 'verified' | 'drill'

const folders: Readonly<Record<ProofKind, string>> = { verified: 'verified/', drill: 'drills/' }

/** More objects than this are not read: of a storage that makes them up, or of machines that may not remove any. */
const mostRead = 400

const dayMs = 24 * 3_600_000
const nameBytes = 16

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

const verifiedSchema = v.object({
  version: v.literal(1),
  /** Day since 1970 (UTC) → names of the packs that were read back last on that day, 16 bytes each, in base64. */
  days: v.pipe(v.array(v.tuple([count, v.pipe(v.string(), v.base64())])), v.maxLength(100_000)),
})

const drillSchema = v.object({ version: v.literal(1), ...drillProof })

export interface UnreadableProof {
  readonly name: ObjectName
  /** `damaged` or `version`. */
  readonly error: HoldfastError
}

/** Every proof of a kind that is listed now, newest first by the storage's clock; of very many the newest. */
async function listProofs(repository: Repository, kind: ProofKind, signal: AbortSignal): Promise<readonly ObjectInfo[]> {
  const infos = await listAll(repository.backend, folders[kind], signal)
  return infos.toSorted((a, b) => b.modifiedMs - a.modifiedMs).slice(0, mostRead)
}

export interface ReadVerified {
  readonly read: readonly ObjectName[]
  readonly unreadable: readonly UnreadableProof[]
}

/**
 * Reads when packs were verified, one object at a time.
 * @param onDates gets what one object says: 32 hex digits of a pack and the beginning of a day, in ms. A pack may come more than once
 * Errors: those of the storage.
 */
export async function readVerified(repository: Repository, onDates: (dates: Iterable<readonly [string, number]>) => void, signal: AbortSignal): Promise<ReadVerified> {
  const read: ObjectName[] = []
  const unreadable: UnreadableProof[] = []
  for await (const each of readProofs(repository, 'verified', verifiedSchema, signal)) {
    if ('error' in each) {
      unreadable.push(each)
      continue
    }
    onDates(datesOf(each.proof.days))
    read.push(each.name)
  }
  return { read, unreadable }
}

function* datesOf(days: readonly (readonly [number, string])[]): Generator<readonly [string, number]> {
  for (const [day, packs] of days) {
    const names = Buffer.from(packs, 'base64')
    for (let at = 0; at + nameBytes <= names.length; at += nameBytes) yield [names.toString('hex', at, at + nameBytes), day * dayMs]
  }
}

/**
 * Writes down when packs were verified, then removes the objects that say no more than that, where it may.
 * @param dates by pack, 32 hex digits; in ms since 1970
 */
export async function writeVerified(
  repository: Repository, dates: Iterable<readonly [string, number]>, superseded: readonly ObjectName[], random: Random, signal: AbortSignal,
): Promise<void> {
  const days = new Map<number, Buffer[]>()
  for (const [pack, ms] of dates) {
    const day = Math.max(0, Math.floor(ms / dayMs))
    const packs = days.get(day) ?? []
    days.set(day, packs)
    packs.push(Buffer.from(pack, 'hex'))
  }
  const value = { version: 1, days: [...days].map(([day, packs]) => [day, Buffer.concat(packs).toString('base64')]) }
  await writeProof(repository, 'verified', value, random, signal)
  await removeAll(repository, superseded, signal)
}

export interface ReadDrills {
  /** The newest first. */
  readonly drills: readonly DrillProof[]
  /** Of those that were looked at. */
  readonly unreadable: readonly UnreadableProof[]
}

/** Proofs of drills. @param most that are wanted: older ones are not looked at. Errors: those of the storage. */
export async function readDrills(repository: Repository, most: number, signal: AbortSignal): Promise<ReadDrills> {
  const drills: DrillProof[] = []
  const unreadable: UnreadableProof[] = []
  for await (const each of readProofs(repository, 'drill', drillSchema, signal)) {
    if ('error' in each) {
      unreadable.push(each)
      continue
    }
    const { version: _version, ...proof } = each.proof
    if (drills.push(proof) === most) break
  }
  return { drills: drills.sort((a, b) => b.finishedMs - a.finishedMs), unreadable }
}

/** Keeps the proof of a drill, and of the older ones the newest `kept`. */
export async function writeDrill(repository: Repository, drill: DrillProof, kept: number, random: Random, signal: AbortSignal): Promise<void> {
  const before = await listProofs(repository, 'drill', signal)
  await writeProof(repository, 'drill', { version: 1, ...drill }, random, signal)
  await removeAll(repository, before.slice(kept).map(({ name }) => name), signal)
}

async function writeProof(repository: Repository, kind: ProofKind, value: object, random: Random, signal: AbortSignal): Promise<void> {
  const name = `${folders[kind]}${randomName(random)}`
  await repository.backend.put(name, { type: 'bytes', bytes: sealObject(repository.keys, name, kind, encodeJson(value)) }, {}, signal)
}

async function removeAll(repository: Repository, names: readonly ObjectName[], signal: AbortSignal): Promise<void> {
  for (const name of names) await tryWithRights(() => repository.backend.remove(name, signal))
}

/** Those that are listed now and still there, the newest first by the storage's clock. Errors: those of the storage. */
async function* readProofs<Schema extends Versioned>(
  repository: Repository, kind: ProofKind, schema: Schema, signal: AbortSignal,
): AsyncGenerator<{ readonly name: ObjectName, readonly proof: v.InferOutput<Schema> } | UnreadableProof> {
  const { backend, keys } = repository
  for (const { name } of await listProofs(repository, kind, signal)) {
    try {
      const proof = await fetchIfThere(() => backend.get(name, 'all', signal), (bytes) => parseVersioned(schema, name, openObject(keys, name, kind, bytes)))
      if (proof) yield { name, proof }
    } catch (error) {
      if (!hasCode(error, 'damaged', 'version')) throw error
      yield { name, error }
    }
  }
}
