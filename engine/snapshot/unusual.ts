import { sumOf, type Amount, type Changes, type UnusualReason } from '../protocol/changes.ts'

/** A former run of the same job on the same host. */
export interface PastRun {
  /** Absent: a first one, or one of a version that did not count. */
  readonly changes?: Changes
  /** It was called unusual, and nobody has said since that it is fine. */
  readonly unusual: boolean
}

export interface ThisRun {
  /** Undefined: there was nothing to compare with. */
  readonly changes: Changes | undefined
  /** Sources that are suddenly empty or on another disk. */
  readonly changedSources: number
  readonly sources: number
}

/** How many former runs are looked at. */
export const pastRuns = 30

/** A share of the files, and how many these are at least. */
interface Floor {
  readonly share: number
  readonly files: number
}

interface Measure {
  readonly code: Exclude<UnusualReason['code'], 'source-changed'>
  readonly amountOf: (changes: Changes) => Amount
  /** Whether so much is unusual for a job of which nothing is known. */
  readonly isMuch: (amount: Amount, before: Amount) => boolean
  /** Any of it is worth a look at former runs: little by little it may be much. */
  readonly addsUp: boolean
}

/** In a job of fewer files than that a handful decides. */
const handful = 5

const measures: readonly Measure[] = [
  { code: 'scrambled', amountOf: scrambledOf, isMuch: (amount, before) => reaches(amount, before, { share: 0.02, files: 20 }) || amount.files >= 500 || isMostOfFew(amount, before), addsUp: true },
  { code: 'random', amountOf: randomOf, isMuch: (amount, before) => reaches(amount, before, { share: 0.1, files: 50 }) || isMostOfFew(amount, before), addsUp: false },
  { code: 'removed', amountOf: lostOf, isMuch: isMuchLost, addsUp: false },
  { code: 'rewritten', amountOf: ({ rewritten }) => rewritten, isMuch: (amount, before) => reaches(amount, before, { share: 0.6, files: 50 }), addsUp: false },
]

/** Whether former runs have to be looked at: ordinary runs are done with this. */
export function isSuspect({ changes, changedSources }: ThisRun): boolean {
  return changedSources > 0 || (changes !== undefined && measures.some(({ amountOf, isMuch, addsUp }) => isMuch(amountOf(changes), changes.before) || (addsUp && amountOf(changes).files >= handful)))
}

/**
 * Why this run is unusual; empty where it is not. Something counts that is much for any job, and more than one and a half times what is usual for this one:
 * the middle of its former runs and six times their spread, or what happened in two of them, unless those were unusual themselves. What looks
 * encrypted is summed up over the last ten runs, so that it cannot come little by little; and that it happened before makes it no better.
 * @param past newest first
 */
export function judge(run: ThisRun, past: readonly PastRun[]): UnusualReason[] {
  const { changes, changedSources, sources } = run
  const reasons: UnusualReason[] = changedSources > 0 ? [{ code: 'source-changed', files: changedSources, bytes: 0, of: sources }] : []
  if (!changes) return reasons
  const ordinary = past.filter(({ unusual }) => !unusual).flatMap((each) => each.changes ?? [])
  for (const measure of measures) {
    const amount = measure.amountOf(changes)
    const usual = 1.5 * usualShare(measure, ordinary)
    const now = judged(measure, amount, ordinary)
    if (measure.isMuch(now, changes.before) && shareOf(now, changes.before) > usual) reasons.push({ code: measure.code, ...now, of: changes.before.files })
  }
  return reasons.some(({ code }) => code === 'scrambled') ? reasons.filter(({ code }) => code !== 'random') : reasons
}

const summedRuns = 9

function judged({ amountOf, addsUp }: Measure, amount: Amount, ordinary: readonly Changes[]): Amount {
  if (!addsUp || amount.files < handful) return amount
  return sumOf(amount, ...ordinary.slice(0, summedRuns).map(amountOf))
}

/** Fewer runs than these do not tell what is usual. */
const tellingRuns = 5

function usualShare({ amountOf, addsUp }: Measure, ordinary: readonly Changes[]): number {
  const shares = ordinary.map((each) => shareOf(amountOf(each), each.before)).sort((a, b) => a - b)
  const twice = addsUp ? 0 : (shares.at(-2) ?? 0)
  if (shares.length < tellingRuns) return twice
  const middle = medianOf(shares)
  const spread = medianOf(shares.map((share) => Math.abs(share - middle)).sort((a, b) => a - b))
  return Math.max(twice, middle + 6 * spread)
}

function medianOf(ascending: readonly number[]): number {
  return ascending[Math.floor(ascending.length / 2)] ?? 0
}

/** In place, or as new files beside others that are gone. */
function scrambledOf({ scrambled, removedPlain, randomAdded, ...changes }: Changes): Amount {
  return sumOf(scrambled, least(removedPlain, randomAdded, lostOf(changes)))
}

function randomOf({ randomRewritten, randomAdded, ...changes }: Changes): Amount {
  return sumOf(randomRewritten, least(randomAdded, lostOf(changes)))
}

/** What was only moved is still there. */
function lostOf({ removed, moved }: Pick<Changes, 'removed' | 'moved'>): Amount {
  return { files: Math.max(0, removed.files - moved.files), bytes: Math.max(0, removed.bytes - moved.bytes) }
}

function isMuchLost(lost: Amount, before: Amount): boolean {
  const bytes = before.bytes === 0 ? 0 : lost.bytes / before.bytes
  const files = shareOf(lost, before)
  if (lost.files >= handful && lost.files >= before.files) return true
  return lost.files >= 20 && ((files >= 0.4 && bytes >= 0.2) || (files >= 0.1 && bytes >= 0.6))
}

function reaches(amount: Amount, before: Amount, { share, files }: Floor): boolean {
  return amount.files >= files && shareOf(amount, before) >= share
}

function isMostOfFew(amount: Amount, before: Amount): boolean {
  return amount.files >= handful && shareOf(amount, before) >= 0.5
}

function shareOf(amount: Amount, before: Amount): number {
  return before.files === 0 ? 0 : amount.files / before.files
}

function least(...amounts: readonly Amount[]): Amount {
  return amounts.reduce((a, b) => ({ files: Math.min(a.files, b.files), bytes: Math.min(a.bytes, b.bytes) }))
}
