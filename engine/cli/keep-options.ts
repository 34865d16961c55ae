import type { Command } from 'commander'
import type { RetentionPolicy } from '../protocol/job.ts'
import { parseHost, parseJobName, parsePositive, parseSize, parseSpan } from './values.ts'

const periods = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

/** Options that say what to keep, and of which snapshots. */
export interface KeepOptions {
  readonly job?: string
  readonly allHosts?: true
  readonly keepLast?: number
  readonly keepHourly?: number
  readonly keepDaily?: number
  readonly keepWeekly?: number
  readonly keepMonthly?: number
  readonly keepYearly?: number
  readonly keepWithin?: number
  readonly keepSize?: number
}

export function addKeepOptions(command: Command): void {
  command.option('-j, --job <name>', 'only snapshots of this job (default: every job, each by itself)', parseJobName)
  command.option('--host <name>', 'apply --keep-… to the snapshots of this machine (default: the one that this runs on)', parseHost)
  command.option('--all-hosts', 'apply --keep-… to the snapshots of every machine, each by itself')
  for (const period of periods) {
    const what = period === 'last' ? 'the newest N snapshots' : `the newest snapshot of each of N ${period.replace('daily', 'day').replace(/ly$/, '')}s`
    command.option(`--keep-${period} <n>`, `keep ${what}`, parsePositive)
  }
  command.option('--keep-within <time>', 'keep everything of this time before the newest snapshot, e.g. 48h or 30d', parseSpan)
  command.option('--keep-size <size>', 'let the oldest go until the rest needs no more than this in the storage', parseSize)
}

/** Undefined where nothing says what to keep. */
export function policyOf(options: KeepOptions): RetentionPolicy | undefined {
  const wanted = {
    last: options.keepLast,
    hourly: options.keepHourly,
    daily: options.keepDaily,
    weekly: options.keepWeekly,
    monthly: options.keepMonthly,
    yearly: options.keepYearly,
    withinMs: options.keepWithin,
    budgetBytes: options.keepSize,
  }
  const given = Object.entries(wanted).filter(([, value]) => value !== undefined)
  return given.length === 0 ? undefined : Object.fromEntries(given)
}
