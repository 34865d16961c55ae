import type { Distance } from '../../backend/backend.ts'

const MiB = 1024 * 1024

/** Bytes that sample verification reads back in 24 hours at most: what a far storage sends is paid for, and waited for. */
const perDay: Readonly<Record<Distance, number>> = { near: 1024 * MiB, far: 32 * MiB }

/** What the first run of a day may read back, however little it sent: so every pack has its turn also where little changes. */
const firstOfDay = 32 * MiB

/** A run that sends more than this reads back a sixteenth of it: the end of a first backup is not to take as long as the backup. */
const wholeUpTo = 32 * MiB

export interface VerificationFacts {
  readonly distance: Distance
  /** What this run has sent. */
  readonly sentBytes: number
  /** What was read back since the day began; undefined: nothing for a day. */
  readonly todayBytes: number | undefined
}

/** Bytes that a run may read back to verify a sample: at most what it sent, but for the first of a day, and within the day's bytes. */
export function verificationBudget({ distance, sentBytes, todayBytes }: VerificationFacts): number {
  const byWhatWasSent = Math.min(sentBytes, Math.max(wholeUpTo, Math.floor(sentBytes / 16)))
  const wanted = todayBytes === undefined ? Math.max(firstOfDay, byWhatWasSent) : byWhatWasSent
  return Math.max(0, Math.min(wanted, perDay[distance] - (todayBytes ?? 0)))
}

/**
 * What a run may still read back after its uploads when it could read beside them: nobody is to wait for more than a moment, and the
 * next run goes on.
 */
export function afterUploads(sentBytes: number): number {
  return Math.max(4 * MiB, Math.floor(sentBytes / 64))
}
