import { fromText } from '../../base/byte-string.ts'
import { hasCode } from '../../base/errors.ts'
import type { KnownPack } from '../../catalog/pack-table.ts'
import type { Tally } from '../../pipeline/tally.ts'
import { packObject } from '../../repository/names.ts'
import { readPackContents } from '../../repository/pack-reader.ts'
import { planRanges } from '../../repository/ranges.ts'
import type { CommandContext } from '../context.ts'
import type { Machine } from './machine.ts'
import type { OpenBackup } from './open-backup.ts'
import { verificationBudget } from './verification-budget.ts'

/** Bytes of a pack that are read at a time: bounds the memory. */
const rangeBytes = 1024 * 1024

/** Less than this is not worth a request, unless the pack itself is smaller. */
const worthwhileBytes = 64 * 1024

export interface VerifyParts {
  readonly opened: OpenBackup
  readonly context: CommandContext
  readonly machine: Machine
  readonly tally: Tally
}

export interface VerifyOptions {
  /** What the run has sent, in bytes. */
  readonly sentBytes: number
  /** The run has not listed what there is: a pack that is gone may as well have been pruned, and is passed over. A check tells what is missing. */
  readonly mayBeGone: boolean
}

/**
 * Sample verification (A10): reads back the packs that were not verified for the longest time, each blob against its id, so that in the course of
 * the runs every pack has its turn. It costs what verificationBudget allows; a pack that does not fit is gone on with by the next run. A damaged
 * pack is a warning of the run, which itself is complete. Resolves to the bytes that were read back.
 */
export async function verifySample(parts: VerifyParts, { sentBytes, mayBeGone }: VerifyOptions): Promise<number> {
  const { opened: { catalog, storage }, context, tally } = parts
  const nowMs = context.clock.now()
  const { distance } = storage.backend.traits
  const budget = verificationBudget({ distance, sentBytes, todayBytes: catalog.verification.todayBytes(nowMs) })
  const beforeBytes = storage.traffic.downloadedBytes
  const spent = (): number => storage.traffic.downloadedBytes - beforeBytes
  try {
    for (const pack of catalog.packs.leastRecentlyVerified(nowMs)) {
      if (budget - spent() < Math.min(pack.size, worthwhileBytes)) break
      try {
        if (!(await verifyPack(parts, pack, () => budget - spent()))) break
        catalog.packs.setVerified(pack.name, nowMs)
      } catch (error) {
        if (!hasCode(error, 'damaged', 'not-found')) throw error
        if (mayBeGone && error.code === 'not-found') continue
        tally.problem('damaged', fromText(packObject(pack.name)), `A pack that was read back is damaged: ${error.message} Run a check.`)
      }
    }
  } finally {
    if (spent() > 0) catalog.verification.spend(spent(), nowMs)
  }
  return spent()
}

/** One range is read while the one before is being opened. Resolves to false where the rest of the pack does not fit into what is left. */
async function verifyPack({ opened, context, machine }: VerifyParts, pack: KnownPack, left: () => number): Promise<boolean> {
  const { repository: { backend, keys }, catalog: { verification } } = opened
  const contents = await readPackContents(backend, keys, pack, context.signal)
  const reached = verification.reached(pack.name)
  const todo = contents.segments.filter((segment) => segment.offset >= reached)
  let opening: Promise<unknown> = Promise.resolve()
  for (const { offset, length, segments } of planRanges(todo, rangeBytes)) {
    if (length > left()) {
      await opening
      verification.setReached(pack.name, offset)
      return false
    }
    const bytes = await backend.get(packObject(pack.name), { offset, length }, context.signal)
    await opening
    opening = machine.pool.run({ type: 'verify', pack: { name: pack.name, kind: contents.kind }, segments, bytes })
    // It may fail while the next range is on its way: that is seen when it is waited for.
    opening.catch(() => undefined)
  }
  await opening
  verification.setReached(pack.name, undefined)
  return true
}
