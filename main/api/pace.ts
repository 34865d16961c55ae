import type { Channel } from './contract.ts'
import { MainError } from './errors.ts'

export interface PaceOptions {
  /** So many at once. */
  readonly burst: number
  /** And so many a second in the long run. */
  readonly perSecond: number
  /** Milliseconds. */
  readonly now: () => number
}

/** Bounds how often something may be asked for. */
export class Pace {
  readonly #options: PaceOptions
  #left: number
  #filledMs: number

  constructor(options: PaceOptions) {
    this.#options = options
    this.#left = options.burst
    this.#filledMs = options.now()
  }

  /** Errors: `busy` with `data.pace` when it is too soon. A refusal costs nothing. */
  take(): void {
    const { burst, perSecond, now } = this.#options
    const nowMs = now()
    // A clock that was set back refills nothing.
    this.#left = Math.min(burst, this.#left + (Math.max(0, nowMs - this.#filledMs) / 1000) * perSecond)
    this.#filledMs = nowMs
    if (this.#left < 1) throw new MainError('busy', 'Too much was asked for at once.', { pace: true })
    this.#left -= 1
  }
}

/** What a request costs main: an answer from memory; a write, or a window of the desktop; a process, or a long look through files. */
type Cost = 'light' | 'write' | 'heavy'

const costs: Readonly<Record<Channel, Cost>> = {
  'state.get': 'light',
  'job.add': 'write',
  'job.update': 'write',
  'job.remove': 'write',
  'job.run': 'heavy',
  'job.acceptOlder': 'write',
  'job.acknowledge': 'write',
  'job.care': 'heavy',
  'job.copyCommand': 'write',
  'job.pause': 'light',
  'job.resume': 'light',
  'job.stop': 'light',
  'jobs.pauseAll': 'write',
  'jobs.resumeAll': 'write',
  'copy.add': 'write',
  'copy.remove': 'write',
  'copy.run': 'heavy',
  'copy.stop': 'light',
  'copy.dismissHint': 'write',
  'report.set': 'write',
  'mail.set': 'write',
  'mail.test': 'heavy',
  'mail.choose': 'write',
  'retention.preview': 'heavy',
  'history.runs': 'light',
  'history.problems': 'light',
  'history.copyLog': 'heavy',
  // A look through four megabytes of files: less than a process, more than an answer from memory.
  'logs.page': 'write',
  'logs.copy': 'write',
  'support.make': 'heavy',
  'support.read': 'light',
  'support.save': 'write',
  'support.discard': 'write',
  'destination.test': 'heavy',
  'account.signIn': 'heavy',
  'account.cancelSignIn': 'light',
  'account.signOut': 'write',
  'dialog.folders': 'write',
  'dialog.file': 'write',
  'drives.list': 'write',
  'drives.choose': 'write',
  'sources.suggest': 'light',
  'sources.measure': 'write',
  'sources.endMeasure': 'light',
  'disk.add': 'write',
  'disk.remove': 'write',
  'password.check': 'write',
  'password.add': 'heavy',
  'kit.make': 'heavy',
  'kit.page': 'write',
  'kit.check': 'write',
  'kit.revoke': 'write',
  'visit.open': 'heavy',
  'visit.address': 'light',
  'visit.close': 'light',
  'visit.machines': 'write',
  'visit.import': 'write',
  'browse.snapshots': 'light',
  'browse.list': 'light',
  'browse.search': 'light',
  'browse.preview': 'write',
  'browse.compare': 'write',
  'browse.versions': 'light',
  'browse.changes': 'light',
  'files.open': 'heavy',
  'files.close': 'light',
  'files.copyPassword': 'write',
  'restore.plan': 'light',
  'restore.start': 'heavy',
  'restore.retry': 'heavy',
  'restore.pause': 'light',
  'restore.resume': 'light',
  'restore.stop': 'light',
  'restore.dismiss': 'light',
  'settings.set': 'write',
  'folder.open': 'heavy',
  'notice.dismiss': 'write',
  'uncovered.fine': 'write',
}

const rates: Readonly<Record<Cost, Omit<PaceOptions, 'now'>>> = {
  light: { burst: 300, perSecond: 50 },
  write: { burst: 60, perSecond: 3 },
  heavy: { burst: 12, perSecond: 0.5 },
}

/** How often a password may be tried: more than somebody mistypes it, and less than guessing takes. */
export const guessRate: Omit<PaceOptions, 'now'> = { burst: 8, perSecond: 1 / 60 }

/** How often an engine may be started to look at repositories. */
export const lookRate: Omit<PaceOptions, 'now'> = rates.heavy

/** More than hands at a window can ask for, and less than would keep main from its work. Each channel has a measure of its own. */
export function windowPace(now: () => number): (channel: Channel) => void {
  const paces = new Map<Channel, Pace>()
  return (channel) => {
    const pace = paces.get(channel) ?? new Pace({ ...rates[costs[channel]], now })
    paces.set(channel, pace)
    pace.take()
  }
}
