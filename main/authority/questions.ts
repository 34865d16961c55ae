import * as m from '../text/compiled/messages.js'
import { serviceName } from '../../engine/accounts/services.ts'
import type { Weekday } from '../../engine/protocol/schedule.ts'
import type { Conditions, Destination, JobConfig, Schedule, SignInKind } from '../api/contract.ts'
import { retentionText } from '../api/retention.ts'
import { placeWords } from '../api/providers.ts'
import { assertNever } from '../system/never.ts'
import { intlLocale } from '../text/language.ts'
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
    title: m.ask_removal_title({ name: shownText(name) }),
    detail: lines([
      m.ask_removal_detail(),
      m.ask_removal_detail2(),
    ]),
    yes: m.ask_removal_yes(),
  }
}

/** Whoever holds the storage could have put an older copy there to make newer snapshots disappear. */
export function olderQuestion(name: string): Question {
  return {
    title: m.ask_older_title({ name: shownText(name) }),
    detail: lines([
      m.ask_older_detail(),
      m.ask_older_detail2(),
    ]),
    yes: m.ask_older_yes(),
  }
}

/** What protects older snapshots after an attack ends with this. @param host of another machine's job */
export function acknowledgeQuestion(name: string, host?: string): Question {
  const where = host === undefined ? '' : m.ask_acknowledge_where({ host: shownText(host) })
  return {
    title: m.ask_acknowledge_title({ name: shownText(name), where }),
    detail: lines([
      m.ask_acknowledge_detail(),
      m.ask_acknowledge_detail2(),
    ]),
    yes: m.ask_acknowledge_yes(),
  }
}

/** Whoever has this password reads everything in the backup. */
export function passwordQuestion(name: string): Question {
  return {
    title: m.ask_password_title({ name: shownText(name) }),
    detail: lines([
      m.ask_password_detail(),
      m.ask_password_detail2(),
    ]),
    yes: m.ask_password_yes(),
  }
}

/** Whoever has its words reads everything in the backup. */
export function kitQuestion(name: string): Question {
  return {
    title: m.ask_kit_title({ name: shownText(name) }),
    detail: lines([
      m.ask_kit_detail(),
      m.ask_kit_detail2(),
    ]),
    yes: m.ask_kit_yes(),
  }
}

/** A page that lies in a drawer opens nothing any more. */
export function kitRemovalQuestion(name: string, number: string): Question {
  return {
    title: m.ask_kitRemoval_title({ number: shownText(number) }),
    detail: lines([m.ask_kitRemoval_detail({ name: shownText(name) }), m.ask_kitRemoval_detail2()]),
    yes: m.ask_kitRemoval_yes(),
  }
}

/** A storage on the network that no job uses yet: what the folders hold goes there. */
export function storageQuestion(config: JobConfig): Question {
  return {
    title: m.ask_storage_title({ destination: destinationName(config.destination) }),
    detail: lines([m.ask_storage_detail(), ...config.sources.map(shownText)]),
    yes: m.ask_storage_yes(),
  }
}

/** Folders that main proposed: nobody has chosen them in a dialog. */
export function proposalQuestion(config: JobConfig): Question {
  return {
    title: m.ask_proposal_title({ destination: destinationName(config.destination) }),
    detail: lines([m.ask_proposal_detail(), ...config.sources.map(shownText)]),
    yes: m.ask_proposal_yes(),
  }
}

/** A storage on the network that no job uses yet: what is in a job's repository goes there. */
export function copyQuestion(name: string, destination: Destination): Question {
  return {
    title: m.ask_copy_title({ name: shownText(name), destination: destinationName(destination) }),
    detail: lines([m.ask_copy_detail(), m.ask_copy_detail2()]),
    yes: m.ask_copy_yes(),
  }
}

export function copyRemovalQuestion(name: string, destination: Destination): Question {
  return {
    title: m.ask_copyRemoval_title({ name: shownText(name), destination: destinationName(destination) }),
    detail: lines([m.ask_copyRemoval_detail(), m.ask_copyRemoval_detail2()]),
    yes: m.ask_copyRemoval_yes(),
  }
}

/** A new job that keeps fewer snapshots than is usual: there may be some under its name already. */
export function retentionQuestion(name: string, losses: readonly Loss[]): Question {
  return { title: m.ask_retention_title({ name: shownText(name) }), detail: lines(losses.map(lossLine)), yes: m.ask_retention_yes() }
}

/** @param login as the service calls the account */
export function signOutQuestion(service: SignInKind, login: string, jobs: readonly string[]): Question {
  return {
    title: m.ask_signOut_title({ service: serviceName(service), login: shownText(login) }),
    detail: lines([
      m.ask_signOut_detail(),
      ...(jobs.length === 0 ? [] : [m.ask_signOut_detail2(), ...jobs.map(shownText)]),
    ]),
    yes: m.ask_signOut_yes(),
  }
}

/** A storage that a program of this machine reaches, as the window has typed it. */
export function tryQuestion(destination: Destination): Question {
  return {
    title: m.ask_try_title({ destination: destinationName(destination) }),
    detail: lines([m.ask_try_detail(), m.ask_try_detail2()]),
    yes: m.ask_try_yes(),
  }
}

/** A storage on the network that no job uses, to restore from: whoever fills it decides what the restored files are. */
export function visitQuestion(destination: Destination): Question {
  return {
    title: m.ask_visit_title({ destination: destinationName(destination) }),
    detail: lines([m.ask_visit_detail(), m.ask_visit_detail2()]),
    yes: m.ask_visit_yes(),
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
    title: jobs.length === 1 ? m.ask_import_title({ name: shownText(jobs[0]?.name ?? '') }) : m.ask_import_titleMany({ count: jobs.length }),
    detail: lines([
      m.ask_import_detail({ place }),
      ...(goesOnAs === undefined ? [] : [m.ask_import_detail2({ goesOnAs: shownText(goesOnAs) })]),
      ...jobs.map(({ name, sources }) => `${shownText(name)}: ${shownText(sources.join(', '))}`),
      ...losses.map(({ name, loss }) => `${shownText(name)}: ${lossLine(loss)}`),
    ]),
    yes: jobs.length === 1 ? m.ask_import_yes() : m.ask_import_yesMany(),
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
    title: m.ask_change_title({ name: shownText(name) }),
    detail: lines([
      ...(moved ? [m.ask_change_detail({ destination: destinationName(moved.to), destination2: destinationName(moved.from) })] : []),
      ...(moved?.sameRepository ? [m.ask_change_detail2()] : []),
      ...(password ? [m.ask_change_detail3()] : []),
      ...losses.map(lossLine),
    ]),
    yes: m.ask_change_yes(),
  }
}

export function restoreQuestion(target: string, reason: Sensitivity): Question {
  return {
    title: m.ask_restore_title({ target: shownText(target) }),
    detail: lines([sensitiveLine(reason), m.ask_restore_detail()]),
    yes: m.ask_restore_yes(),
  }
}

/** @param origins where the files that may be written were */
export function originalsQuestion(origins: readonly string[]): Question {
  return {
    title: 'Restore to where the files were?',
    detail: lines([...origins.slice(0, 8).map(shownText), ...(origins.length > 8 ? [`and ${origins.length - 8} more`] : []), 'Restored files may replace what is there. If you are not sure, cancel and choose an empty folder.']),
    yes: 'Restore there',
  }
}

export function autoStartQuestion(on: boolean): Question {
  return on
    ? { title: m.ask_autoStart_title(), detail: m.ask_autoStart_detail(), yes: m.ask_autoStart_yes() }
    : { title: m.ask_autoStartOff_title(), detail: m.ask_autoStartOff_detail(), yes: m.ask_autoStartOff_yes() }
}

export function crawlQuestion(bytesPerSecond: number): Question {
  return { title: m.ask_crawl_title(), detail: m.ask_crawl_detail({ bytesPerSecond }), yes: m.ask_crawl_yes() }
}

export function silenceQuestion(): Question {
  return { title: m.ask_silence_title(), detail: m.ask_silence_detail(), yes: m.ask_silence_yes() }
}

function sensitiveLine(reason: Sensitivity): string {
  switch (reason) {
    case 'home':
      return m.ask_sensitive_home()
    case 'settings':
      return m.ask_sensitive_settings()
    case 'system':
      return m.ask_sensitive_system()
    case 'own':
      return m.ask_sensitive_own()
    case 'originals':
      return m.ask_sensitive_originals()
    default:
      return assertNever(reason)
  }
}

function lossLine(loss: Loss): string {
  switch (loss.type) {
    case 'source':
      return m.ask_loss_source({ path: shownText(loss.path) })
    case 'pattern':
      return m.ask_loss_pattern({ pattern: shownText(loss.pattern) })
    case 'preset':
      return m.ask_loss_preset({ preset: loss.preset })
    case 'largerThan':
      return m.ask_loss_largerThan({ bytes: loss.bytes })
    case 'oneFileSystem':
      return m.ask_loss_oneFileSystem()
    case 'crawl':
      return m.ask_loss_crawl({ bytesPerSecond: loss.bytesPerSecond })
    case 'retention':
      return m.ask_loss_retention({ retention: retentionText(loss.retention) })
    case 'conditions':
      return m.ask_loss_conditions({ condition: conditionWords(loss.conditions).join(', ') })
    case 'schedule':
      return scheduleLine(loss.schedule)
    default:
      return assertNever(loss)
  }
}

function conditionWords({ mains, batteryAbove, unmetered, idle, networks }: Conditions): readonly string[] {
  return [
    ...(mains ? [m.ask_condition_mains()] : []),
    ...(batteryAbove === undefined ? [] : [m.ask_condition_battery({ batteryAbove })]),
    ...(unmetered ? [m.ask_condition_unmetered()] : []),
    ...(networks ? [networks.rule === 'only' ? m.ask_condition_in({ names: networks.names.map(shownText).join(', ') }) : m.ask_condition_notIn({ names: networks.names.map(shownText).join(', ') })] : []),
    ...(idle ? [m.ask_condition_idle()] : []),
  ]
}

function scheduleLine(schedule: Schedule): string {
  switch (schedule.type) {
    case 'manual':
      return m.ask_schedule_manual()
    case 'daily':
      return m.ask_schedule_daily({ at: schedule.at })
    case 'hourly':
      return m.ask_schedule_hourly()
    case 'interval':
      return schedule.minutes % 60 === 0 ? m.ask_schedule_hours({ count: schedule.minutes / 60 }) : m.ask_schedule_minutes({ count: schedule.minutes })
    case 'continuous':
      return m.ask_schedule_continuous({ count: schedule.everyMinutes })
    case 'times':
      return m.ask_schedule_times({ days: schedule.days.map(dayName).join(', '), times: schedule.at.join(', ') })
    case 'cron':
      return m.ask_schedule_cron({ expression: shownText(schedule.expression) })
    default:
      return assertNever(schedule)
  }
}

/** 1 January 2024 was a Monday. */
function dayName(day: Weekday): string {
  return new Intl.DateTimeFormat(intlLocale(), { weekday: 'short' }).format(new Date(2024, 0, day))
}

/** As a person knows it, in one line. */
export function destinationName(destination: Destination): string {
  if (destination.type === 'folder') return shownText(destination.path)
  const { what, where } = placeWords(destination)
  return what === '' ? shownText(where) : m.ask_destinationName({ what: shownText(what), where: shownText(where) })
}

/** No dialog grows beyond the screen. */
function lines(all: readonly string[]): string {
  const rest = all.length - mostLines
  return [...all.slice(0, mostLines), ...(rest > 0 ? [m.ask_lines({ rest })] : [])].join('\n')
}
