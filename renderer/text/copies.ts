import type { CopyView, LiveRun, RunView, SpreadView } from '../state/bridge.ts'
import { errorText } from './errors.ts'
import { formatAge, formatPercent, formatThings } from './format.ts'
import { etaWords, sumWords, waitWords, waitingWords } from './status.ts'

/** Where else a backup is. */
export const copyWords = {
  title: 'Copies',
  add: 'Add a copy…',
  originals: 'Originals',
  backedUp: (age: string) => `Backed up ${age}.`,
  onThis: 'Your files on this computer',
  backup: 'Backup',
  copy: 'Copy',
  run: 'Copy now',
  runLabel: (place: string) => `Copy to ${place} now`,
  stop: 'Stop',
  stopLabel: (place: string) => `Stop copying to ${place}`,
  remove: (place: string) => `Remove the copy at ${place}…`,
  removed: 'It is no longer copied there. What was copied stays.',
  added: 'The copy was added',
  warnings: 'Show warnings',
  progress: (place: string) => `Progress of the copy to ${place}`,
  none: 'A copy on another disk or elsewhere keeps your files when something happens to this backup.',
  care: (line: string) => `Looked after: ${line.charAt(0).toLowerCase()}${line.slice(1)}`,
  follows: 'Follows what the backup keeps',
  keeps: 'Keeps what the backup forgets',
  hints: {
    disk: {
      title: 'Your files and their backup are on one disk',
      text: 'When it fails, all of them are gone at once. A copy on another disk, and one in another house or in a cloud, keep your files whatever happens.',
    },
    computer: {
      title: 'Everything is at this computer',
      text: 'Fire, water or a thief can take all of it at once. A copy in another house or in a cloud keeps your files then, too.',
    },
  } satisfies Record<NonNullable<SpreadView['hint']>, { title: string; text: string }>,
  dismiss: 'Leave it so',
  form: {
    title: (name: string) => `Copy the backup of “${name}” to another place`,
    text: 'All snapshots go there, encrypted with a password of their own, and new ones about once a day at a quiet moment.',
    kept: 'When the backup forgets old snapshots',
    keep: 'The copy keeps them',
    keepHint: 'It grows with time.',
    remove: 'The copy forgets them too',
    removeHint: 'What is pinned there, or held for an unusual change, stays.',
    save: 'Add and copy now',
    saveLater: 'Add copy',
  },
} as const

/** The 3-2-1 of a job in words: `3 copies on 2 kinds of storage, 1 elsewhere`. */
export function spreadWords({ copies, kinds, elsewhere }: Pick<SpreadView, 'copies' | 'kinds' | 'elsewhere'>): string {
  return `${formatThings(copies, 'copy', 'copies')} on ${formatThings(kinds, 'kind of storage', 'kinds of storage')}, ${elsewhere === 0 ? 'none' : elsewhere} elsewhere`
}

export interface CopyLine {
  readonly text: string
  readonly tone: 'neutral' | 'warn' | 'bad'
}

/** How a copy is, in one or two sentences. */
export function copyLine(copy: CopyView, live: LiveRun | undefined, now: number): CopyLine {
  const trouble = copy.state === 'idle' ? troubleOf(copy, now) : undefined
  const said = [copy.state === 'idle' ? trouble?.text : stateWords(copy, live, now), ageWords(copy, now), ...(copy.state === 'idle' && !trouble ? [nextWords(copy, now)] : [])]
  return { tone: trouble?.tone ?? (isOld(copy, now) ? 'warn' : 'neutral'), text: said.filter((text) => text !== undefined && text !== '').join(' ') }
}

/** One that is made about once a day. */
function isOld({ completeMs }: CopyView, now: number): boolean {
  return completeMs !== undefined && now - completeMs > 14 * 24 * 3_600_000
}

/** How old it is. */
function ageWords({ completeMs, snapshots }: CopyView, now: number): string {
  if (completeMs === undefined) return ''
  const count = snapshots === undefined ? '' : `, ${formatThings(snapshots, 'snapshot', 'snapshots')}`
  return `Last copied ${formatAge(completeMs, now)}${count}.`
}

function nextWords({ completeMs, waits, lastRun }: CopyView, now: number): string {
  if (waits?.wait.type === 'asked') return 'It is made after the first backup.'
  if (completeMs !== undefined) return ''
  const next = waits ? `${waitWords(waits, now)}.` : ''
  return lastRun ? next : `Not made yet. ${next}`.trim()
}

function troubleOf({ lastRun, waits }: CopyView, now: number): CopyLine | undefined {
  if (waits?.wait.type === 'sign-in') return { tone: 'warn', text: 'Waits until somebody has signed in.' }
  if (!lastRun) return undefined
  const age = formatAge(lastRun.finishedMs, now)
  if (lastRun.outcome === 'stopped') return { tone: 'neutral', text: `Broken off ${age}; it goes on from there by itself.` }
  if (lastRun.error) return failedLine(lastRun, lastRun.error, age)
  return lastRun.problems > 0 ? { tone: 'warn', text: `There were ${formatThings(lastRun.problems, 'warning', 'warnings')} ${age}.` } : undefined
}

function failedLine({ error: _error, ...run }: RunView, error: NonNullable<RunView['error']>, age: string): CopyLine {
  const atSource = error.data?.['side'] === 'source'
  if (error.code === 'crashed') return { tone: 'warn', text: `Cut off ${age}; it goes on by itself.` }
  if (error.code === 'offline') {
    const what = atSource ? 'The backup' : 'This place'
    return { tone: 'warn', text: `${what} was not there ${age}. Copying goes on as soon as it is back${run.outcome === 'partial' ? ', from where it was' : ''}.` }
  }
  const { title, advice } = errorText(error)
  return { tone: error.retryable ? 'warn' : 'bad', text: `Failed ${age}: ${atSource ? 'at the backup: ' : ''}${title}. ${error.code === 'password' && !atSource ? 'Another repository is there, or the password is another one. Remove this copy, and add it with the right one or at another place.' : advice}` }
}

function stateWords({ state, waits }: CopyView, live: LiveRun | undefined, now: number): string {
  if (state === 'queued') return waits ? `${waitWords(waits, now)}.` : 'Waits for its turn.'
  if (state === 'paused') return 'Paused.'
  if (state === 'stopping') return 'Stopping…'
  const progress = live?.progress
  if (!progress) return 'Begins to copy…'
  if (progress.waitingFor) return `${waitingWords(progress.waitingFor)}.`
  const { sync } = progress
  const parts = [
    sync && sync.snapshots.total > 0 ? `${sync.snapshots.done} of ${formatThings(sync.snapshots.total, 'snapshot', 'snapshots')}` : '',
    sumWords(progress), progress.fraction === undefined ? '' : formatPercent(progress.fraction), etaWords(progress),
  ].filter((text) => text !== '')
  return parts.length > 0 ? `Copying: ${parts.join(', ')}.` : 'Copying…'
}
