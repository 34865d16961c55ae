import * as v from 'valibot'
import { knownRepository, type KnownRepository } from '../../engine/protocol/known.ts'
import type { Destination } from '../api/contract.ts'
import { destinationSchema } from '../api/schemas.ts'
import { kitRecord, type KitRecord } from './kit-record.ts'

/** The disk that a repository is on: known by the file system, wherever it is plugged in and mounted. */
export interface DiskRecord {
  /** Id of the file system. */
  readonly id: string
  /** As people call it, when it was seen last. */
  readonly name: string
  /** The repository's folder in that file system, from its root. */
  readonly folder: string
  /** It is made to be unplugged. */
  readonly removable: boolean
  /** When it was there last, ms since 1970, to some hours. */
  readonly seenMs: number
  /** When a backup onto it was complete last, ms since 1970. */
  readonly completeMs?: number
}

/** A disk that takes turns with the one that a repository's record names: each has a repository of its own, which the same password opens. */
export interface RotatedDisk {
  readonly destination: Extract<Destination, { type: 'folder' }>
  readonly disk: DiskRecord
  readonly repositoryId?: string
  readonly known?: KnownRepository
  readonly kits?: readonly KitRecord[]
}

export const diskRecord: v.GenericSchema<unknown, DiskRecord> = v.object({
  id: v.string(),
  name: v.string(),
  folder: v.string(),
  removable: v.boolean(),
  seenMs: v.number(),
  completeMs: v.exactOptional(v.number()),
})

export const rotatedDisk: v.GenericSchema<unknown, RotatedDisk> = v.object({
  destination: v.pipe(destinationSchema, v.check(({ type }) => type === 'folder'), v.transform((destination) => destination as RotatedDisk['destination'])),
  disk: diskRecord,
  repositoryId: v.exactOptional(v.string()),
  known: v.exactOptional(knownRepository),
  kits: v.exactOptional(v.array(kitRecord)),
})
