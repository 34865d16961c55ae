import { fromText } from '../../base/byte-string.ts'
import { hasCode } from '../../base/errors.ts'
import type { Tally } from '../../pipeline/tally.ts'
import { packObject } from '../../repository/names.ts'
import { readPackContents } from '../../repository/pack-reader.ts'
import { planRanges } from '../../repository/ranges.ts'
import type { CommandContext } from '../context.ts'
import type { Machine } from './machine.ts'
import type { OpenBackup } from './open-backup.ts'

/** Bytes of a pack that are read at a time: bounds the memory. */
const rangeBytes = 1024 * 1024

const dayMs = 24 * 60 * 60_000

/**
 * For a run that stored nothing: verifies a sample when none was for a day. Such a run has not listed what there is, so a pack that is gone
 * may as well have been pruned, and is passed over; a check tells what is missing.
 */
export async function verifyDaily(opened: OpenBackup, context: CommandContext, machine: Machine, tally: Tally, count: number): Promise<void> {
  const sinceMs = context.clock.now() - opened.catalog.packs.newestVerificationMs()
  // A clock that was set back must not end the verifying.
  if (sinceMs >= 0 && sinceMs < dayMs) return
  await verifySample(opened, context, machine, tally, count, { mayBeGone: true })
}

/**
 * Sample verification (A10): reads back the packs that were not verified for the longest time, each blob against its id, so that in the course of
 * the runs every pack has its turn. A damaged pack is a warning of the run, which itself is complete.
 */
export async function verifySample(opened: OpenBackup, context: CommandContext, machine: Machine, tally: Tally, count: number, { mayBeGone } = { mayBeGone: false }): Promise<void> {
  const { catalog } = opened
  for (const pack of catalog.packs.leastRecentlyVerified(context.clock.now()).take(count)) {
    try {
      await verifyPack(opened, context, machine, pack)
      catalog.packs.setVerified(pack.name, context.clock.now())
    } catch (error) {
      if (!hasCode(error, 'damaged', 'not-found')) throw error
      if (mayBeGone && error.code === 'not-found') continue
      tally.problem('damaged', fromText(packObject(pack.name)), `A pack that was read back is damaged: ${error.message} Run a check.`)
    }
  }
}

/** One range is read while the one before is being opened. */
async function verifyPack({ repository }: OpenBackup, context: CommandContext, machine: Machine, pack: { readonly name: string; readonly size: number }): Promise<void> {
  const { backend, keys } = repository
  const contents = await readPackContents(backend, keys, pack, context.signal)
  let opening: Promise<unknown> = Promise.resolve()
  for (const { offset, length, segments } of planRanges(contents.segments, rangeBytes)) {
    const bytes = await backend.get(packObject(pack.name), { offset, length }, context.signal)
    await opening
    opening = machine.pool.run({ type: 'verify', pack: { name: pack.name, kind: contents.kind }, segments, bytes })
  }
  await opening
}
