import { consolidateIndex } from './consolidate.ts'
import { completeRecords, removeOrphanedAcknowledgements } from './prune-complete.ts'
import type { Completion } from './prune-complete.ts'
import type { PruneContext } from './prune-context.ts'
import { copyUncovered } from './prune-copy.ts'
import type { PrunePlan, PruneResult } from './prune-plan.ts'
import { withFreshListings } from './prune-prepare.ts'
import { retirePacks } from './retired.ts'

/**
 * Carries out a plan that planPrune made with the same context: copies what is still needed, retires, completes every retire record that
 * sessions allow, and tidies the index. Any number may run at once; one that dies is completed by the next.
 * Where it would wait for a session, `meanwhile` runs, and it is looked once more: most sessions have ended, or acknowledged, by then.
 * Errors: `damaged`, `version` (rule R9): then nothing was deleted that this run had not finished before.
 */
export async function executePrune(context: PruneContext, plan: PrunePlan, signal: AbortSignal, meanwhile?: () => Promise<void>): Promise<PruneResult> {
  const { bytes: copiedFirst } = await withFreshListings(() => copyUncovered(context, plan.retire.map((pack) => pack.name), signal))
  const records = await retirePacks(context.repository, plan.retire.map((pack) => pack.name), context.random, signal)
  for (const record of records) context.ownRecords.add(record)
  const total = { expiredSessions: 0, deletedPacks: 0, deletedBytes: 0, copiedBytes: copiedFirst, removedRecords: 0, damagedPacks: 0 }
  const complete = (): Promise<Completion> => withFreshListings(async () => addUp(total, await completeRecords(context, signal)))
  let last = await complete()
  if (last.waitingFor.length > 0 && meanwhile) {
    await meanwhile()
    last = await complete()
  }
  await removeOrphanedAcknowledgements(context, signal)
  const indexObjects = await consolidateIndex(context, total.deletedPacks > 0, signal)
  const outcome = last.waitingFor.length > 0 ? 'waiting' : 'complete'
  return { outcome, waitingFor: last.waitingFor, retiredPacks: plan.retire.length, ...total, indexObjects }
}

type Totals = { -readonly [Key in keyof Omit<Completion, 'waitingFor'>]: number }

function addUp(total: Totals, round: Completion): Completion {
  total.expiredSessions += round.expiredSessions
  total.deletedPacks += round.deletedPacks
  total.deletedBytes += round.deletedBytes
  total.copiedBytes += round.copiedBytes
  total.removedRecords += round.removedRecords
  total.damagedPacks = round.damagedPacks
  return round
}
