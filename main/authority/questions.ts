import { serviceName } from '../../engine/accounts/services.ts'
import { scheduleText } from '../../engine/protocol/schedule.ts'
import type { Conditions, Destination, JobConfig, Schedule, SignInKind } from '../api/contract.ts'
import { retentionText } from '../api/retention.ts'
import { placeWords } from '../api/providers.ts'
import { assertNever } from '../system/never.ts'
import type { Loss } from './protection.ts'
import type { Sensitivity } from './sensitive.ts'
import { shownText } from './shown.ts'

/** What main asks a person in a dialog of its own, in words. `yes` says what is done; the other button is always "Cancel". */
export interface Question {
  readonly title: string
  /** What will be done, and what comes of it; lines. */
  readonly detail: string
  readonly yes: string
}

const mostLines = 12

export function removalQuestion(name: string): Question {
  return {
    title: `Delete the job “${shownText(name)}”?`,
    detail: lines([
      'Holdfast forgets this job with its schedule, its history and its stored password.',
      'The backup itself stays where it is. You need its address and password to get at it again.',
    ]),
    yes: 'Delete job',
  }
}

/** Whoever holds the storage could have put an older copy there to make newer snapshots disappear. */
export function olderQuestion(name: string): Question {
  return {
    title: `Go on with the older backup of “${shownText(name)}”?`,
    detail: lines([
      'Snapshots that this computer has seen are no longer in it. They stay lost, unless the newer copy of the backup comes back.',
      'Go on only if you know why: because you put an older copy there yourself.',
    ]),
    yes: 'Use the older backup',
  }
}

/** What protects older snapshots after an attack ends with this. @param host of another machine's job */
export function acknowledgeQuestion(name: string, host?: string): Question {
  const where = host === undefined ? '' : ` of the computer “${shownText(host)}”`
  return {
    title: `Is the unusual change in “${shownText(name)}”${where} as it should be?`,
    detail: lines([
      'Until now no older snapshot is let go. From now on the rules for what is kept count again.',
      'If you do not know where the change comes from, look at the files first.',
    ]),
    yes: 'It is fine, go on',
  }
}

/** Whoever has this password reads everything in the backup. */
export function passwordQuestion(name: string): Question {
  return {
    title: `Let another password open the backup of “${shownText(name)}”?`,
    detail: lines([
      'It is the one that was just typed in the window. Whoever knows it can read everything in the backup.',
      'The old password goes on opening it.',
    ]),
    yes: 'Add password',
  }
}

/** Whoever has its words reads everything in the backup. */
export function kitQuestion(name: string): Question {
  return {
    title: `Make a recovery kit for the backup of “${shownText(name)}”?`,
    detail: lines([
      'Twelve words open the backup then, beside its password. They stand on one page, which you print or save; Holdfast keeps them nowhere.',
      'Whoever has this page and can reach the storage can read everything in the backup.',
    ]),
    yes: 'Make a kit',
  }
}

/** A page that lies in a drawer opens nothing any more. */
export function kitRemovalQuestion(name: string, number: string): Question {
  return {
    title: `Take the recovery kit ${shownText(number)} away?`,
    detail: lines([`Its page no longer opens the backup of “${shownText(name)}”: destroy it, on paper and as a file.`, 'The password and other kits go on opening it.']),
    yes: 'Take it away',
  }
}

/** A storage on the network that no job uses yet: what the folders hold goes there. */
export function storageQuestion(config: JobConfig): Question {
  return {
    title: `Send backups to ${destinationName(config.destination)}?`,
    detail: lines(['Encrypted copies of these folders go there:', ...config.sources.map(shownText)]),
    yes: 'Send them there',
  }
}

/** A storage on the network that no job uses yet: what is in a job's repository goes there. */
export function copyQuestion(name: string, destination: Destination): Question {
  return {
    title: `Copy the backup of “${shownText(name)}” to ${destinationName(destination)}?`,
    detail: lines(['Encrypted copies of all its snapshots go there, now and about once a day.', 'Whoever knows the password of the copy can read everything in it.']),
    yes: 'Copy it there',
  }
}

export function copyRemovalQuestion(name: string, destination: Destination): Question {
  return {
    title: `No longer copy the backup of “${shownText(name)}” to ${destinationName(destination)}?`,
    detail: lines(['Holdfast forgets the place and its stored password.', 'What was copied stays where it is. You need its address and password to get at it again.']),
    yes: 'Stop copying',
  }
}

/** A new job that keeps fewer snapshots than is usual: there may be some under its name already. */
export function retentionQuestion(name: string, losses: readonly Loss[]): Question {
  return { title: `Keep few snapshots of “${shownText(name)}”?`, detail: lines(losses.map(lossLine)), yes: 'Keep these only' }
}

/** @param login as the service calls the account */
export function signOutQuestion(service: SignInKind, login: string, jobs: readonly string[]): Question {
  return {
    title: `Sign out of ${serviceName(service)} (${shownText(login)})?`,
    detail: lines([
      'Holdfast forgets the account and asks the service to do the same. What is stored there stays.',
      ...(jobs.length === 0 ? [] : ['These jobs, or copies of them, wait until somebody signs in again:', ...jobs.map(shownText)]),
    ]),
    yes: 'Sign out',
  }
}

/** A storage that a program of this machine reaches, as the window has typed it. */
export function tryQuestion(destination: Destination): Question {
  return {
    title: `Try ${destinationName(destination)}?`,
    detail: lines(['A program of this computer is started for it, with the settings that were typed.', 'Go on only if you have entered them yourself.']),
    yes: 'Try it',
  }
}

/** A storage on the network that no job uses, to restore from: whoever fills it decides what the restored files are. */
export function visitQuestion(destination: Destination): Question {
  return {
    title: `Open the backup at ${destinationName(destination)}?`,
    detail: lines(['The password and keys that were typed are tried there, and files can be restored from it.', 'Go on only if you have entered this address yourself.']),
    yes: 'Open it',
  }
}

export interface Import {
  readonly place: string
  readonly jobs: readonly Pick<JobConfig, 'name' | 'sources'>[]
  readonly losses: readonly { readonly name: string; readonly loss: Loss }[]
  /** The computer whose snapshots the jobs go on with, if they do. */
  readonly goesOnAs: string | undefined
}

/** What another computer has left says what is backed up here from now on. */
export function importQuestion({ place, jobs, losses, goesOnAs }: Import): Question {
  return {
    title: jobs.length === 1 ? `Make the job “${shownText(jobs[0]?.name ?? '')}” on this computer?` : `Make ${jobs.length} jobs on this computer?`,
    detail: lines([
      `Their backups go to ${place}, and what opens it is kept on this computer.`,
      ...(goesOnAs === undefined ? [] : [`This computer takes the place of ${shownText(goesOnAs)}, which should not back up there any more.`]),
      ...jobs.map(({ name, sources }) => `${shownText(name)}: ${shownText(sources.join(', '))}`),
      ...losses.map(({ name, loss }) => `${shownText(name)}: ${lossLine(loss)}`),
    ]),
    yes: jobs.length === 1 ? 'Make the job' : 'Make the jobs',
  }
}

export interface JobChange {
  readonly name: string
  /** Where it goes from now on, if that changes. */
  readonly moved?: { readonly from: Destination; readonly to: Destination; readonly sameRepository: boolean }
  /** The password that a repository yet to be made gets. */
  readonly password: boolean
  readonly losses: readonly Loss[]
}

export function changeQuestion({ name, moved, password, losses }: JobChange): Question {
  return {
    title: `Change the job “${shownText(name)}”?`,
    detail: lines([
      ...(moved ? [`Its backups go to ${destinationName(moved.to)} from now on, no longer to ${destinationName(moved.from)}.`] : []),
      ...(moved?.sameRepository ? ['The same repository is there: the job goes on with it.'] : []),
      ...(password ? ['Its backup will be encrypted with the password that was just entered.'] : []),
      ...losses.map(lossLine),
    ]),
    yes: 'Change it',
  }
}

export function restoreQuestion(target: string, reason: Sensitivity): Question {
  return {
    title: `Restore into ${shownText(target)}?`,
    detail: lines([sensitiveLine(reason), 'Restored files may replace what is there. If you are not sure, cancel and choose an empty folder.']),
    yes: 'Restore there',
  }
}

export function autoStartQuestion(on: boolean): Question {
  return on
    ? { title: 'Start Holdfast when you log in?', detail: 'It starts hidden in the tray, so that scheduled backups run.', yes: 'Start on login' }
    : { title: 'No longer start Holdfast when you log in?', detail: 'Scheduled backups run only after you have started it yourself.', yes: 'Do not start' }
}

export function crawlQuestion(bytesPerSecond: number): Question {
  return { title: 'Slow all backups down?', detail: `All jobs together send no more than ${bytesPerSecond} bytes a second. Large backups do not end at this pace.`, yes: 'Slow down' }
}

export function silenceQuestion(): Question {
  return { title: 'Switch all notifications off?', detail: 'Nothing tells you when a backup fails, until you open this window.', yes: 'Switch off' }
}

function sensitiveLine(reason: Sensitivity): string {
  switch (reason) {
    case 'home':
      return 'This is a home folder, or holds one: files in it can change your settings and start programs when you log in.'
    case 'settings':
      return 'Files in this folder can change settings of programs, or start programs when you log in.'
    case 'system':
      return 'This folder belongs to the operating system.'
    case 'own':
      return 'Holdfast keeps its own settings and state in this folder.'
    case 'originals':
      return 'The original files of a backup job are in this folder.'
    default:
      return assertNever(reason)
  }
}

function lossLine(loss: Loss): string {
  switch (loss.type) {
    case 'source':
      return `No longer backed up: ${shownText(loss.path)}`
    case 'pattern':
      return `Left out: ${shownText(loss.pattern)}`
    case 'preset':
      return `Left out: ${loss.preset}`
    case 'largerThan':
      return `Left out: files larger than ${loss.bytes} bytes`
    case 'oneFileSystem':
      return 'Left out: other disks inside of its folders'
    case 'crawl':
      return `Sends no more than ${loss.bytesPerSecond} bytes a second`
    case 'retention':
      return `Older snapshots are removed; kept are: ${retentionText(loss.retention)}`
    case 'conditions':
      return `Runs by itself only ${conditionWords(loss.conditions).join(', ')}`
    case 'schedule':
      return scheduleLine(loss.schedule)
    default:
      return assertNever(loss)
  }
}

function conditionWords({ mains, batteryAbove, unmetered, idle, networks }: Conditions): readonly string[] {
  return [
    ...(mains ? ['on mains power'] : []),
    ...(batteryAbove === undefined ? [] : [`with a battery of ${batteryAbove} % or more`]),
    ...(unmetered ? ['where data costs nothing'] : []),
    ...(networks ? [`${networks.rule === 'only' ? 'in' : 'not in'} the networks ${networks.names.map(shownText).join(', ')}`] : []),
    ...(idle ? ['while nobody uses the computer'] : []),
  ]
}

function scheduleLine(schedule: Schedule): string {
  switch (schedule.type) {
    case 'manual':
      return 'Runs only when you start it'
    case 'daily':
      return `Runs only once a day, at ${schedule.at}`
    case 'hourly':
      return 'Runs every hour'
    default:
      return `Runs ${shownText(scheduleText(schedule))}`
  }
}

/** As a person knows it, in one line. */
export function destinationName(destination: Destination): string {
  if (destination.type === 'folder') return shownText(destination.path)
  const { what, where } = placeWords(destination)
  return what === '' ? shownText(where) : `${shownText(what)} on ${shownText(where)}`
}

/** No dialog grows beyond the screen. */
function lines(all: readonly string[]): string {
  const rest = all.length - mostLines
  return [...all.slice(0, mostLines), ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n')
}
