import type { Repository } from '../repository.ts'
import { forEachAtOnce, getIfThere, listAll } from './listing.ts'
import { parseRetireRecordName, retireRecordName } from './names.ts'
import { openRetireRecord } from './records.ts'

/** The packs that a retire record names, for ever. */
export interface RetireRecord {
  /** 32 hex digits. */
  readonly id: string
  readonly packs: readonly string[]
  /** When the storage took it in. */
  readonly modifiedMs: number
}

/**
 * The retire records listed now (LIST `gc/`, then GET of those not in `known`), by id. A record that vanishes between the two is left
 * out: its packs were gone before it was.
 * Errors: `damaged` or `version` when one cannot be read: nobody then knows which packs are usable.
 */
export async function readRetireRecords(
  repository: Repository, known: ReadonlyMap<string, RetireRecord>, signal: AbortSignal,
): Promise<ReadonlyMap<string, RetireRecord>> {
  const found = new Map<string, RetireRecord>()
  const infos = await listAll(repository.backend, 'gc/', signal)
  await forEachAtOnce(infos, 8, async (info) => {
    const id = parseRetireRecordName(info.name)
    const record = known.get(id) ?? await readRetireRecord(repository, id, info.modifiedMs, signal)
    if (record) found.set(id, record)
  })
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function readRetireRecord(repository: Repository, id: string, modifiedMs: number, signal: AbortSignal): Promise<RetireRecord | undefined> {
  const bytes = await getIfThere(repository.backend, retireRecordName(id), signal)
  return bytes && { id, packs: openRetireRecord(repository.keys, id, bytes), modifiedMs }
}
