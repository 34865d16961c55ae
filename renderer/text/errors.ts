import * as m from '../../main/text/compiled/messages.js'
import type { ErrorCode, Problem, WireError } from '../state/bridge.ts'
import { formatBytes } from './format.ts'

/** What happened, and what the user can do about it. */
export interface ErrorText {
  readonly title: string
  readonly advice: string
}

const errors: Readonly<Record<ErrorCode, ErrorText>> = {
  aborted: { title: m.error_aborted_title(), advice: m.error_aborted_advice() },
  arguments: { title: m.error_arguments_title(), advice: m.error_arguments_advice() },
  'not-found': { title: m.error_notFound_title(), advice: m.error_notFound_advice() },
  exists: { title: m.error_exists_title(), advice: m.error_exists_advice() },
  denied: { title: m.error_denied_title(), advice: m.error_denied_advice() },
  credentials: { title: m.error_credentials_title(), advice: m.error_credentials_advice() },
  password: { title: m.error_password_title(), advice: m.error_password_advice() },
  full: { title: m.error_full_title(), advice: m.error_full_advice() },
  throttled: { title: m.error_throttled_title(), advice: m.error_throttled_advice() },
  offline: { title: m.error_offline_title(), advice: m.error_offline_advice() },
  unavailable: { title: m.error_unavailable_title(), advice: m.error_unavailable_advice() },
  unsupported: { title: m.error_unsupported_title(), advice: m.error_unsupported_advice() },
  damaged: { title: m.error_damaged_title(), advice: m.error_damaged_advice() },
  version: { title: m.error_version_title(), advice: m.error_version_advice() },
  'not-a-repository': { title: m.error_notARepository_title(), advice: m.error_notARepository_advice() },
  'another-repository': { title: m.error_anotherRepository_title(), advice: m.error_anotherRepository_advice() },
  'rolled-back': { title: m.error_rolledBack_title(), advice: m.error_rolledBack_advice() },
  busy: { title: m.error_busy_title(), advice: m.error_busy_advice() },
  expired: { title: m.error_expired_title(), advice: m.error_expired_advice() },
  'source-missing': { title: m.error_sourceMissing_title(), advice: m.error_sourceMissing_advice() },
  'unsafe-path': { title: m.error_unsafePath_title(), advice: m.error_unsafePath_advice() },
  catalog: { title: m.error_catalog_title(), advice: m.error_catalog_advice() },
  crashed: { title: m.error_crashed_title(), advice: m.error_crashed_advice() },
  internal: { title: m.error_internal_title(), advice: m.error_internal_advice() },
}

/** Says more than the code does where the error knows it: whose disk is full, which object nobody knows, what the storage's refusal asks for. */
export function errorText(error: WireError): ErrorText {
  const base = errors[error.code]
  const place = error.data?.['place']
  const missing = error.data?.['missingBytes']
  if (error.code === 'full' && typeof missing === 'number') {
    return { title: m.error_title({ missing: formatBytes(missing) }), advice: m.error_advice() }
  }
  if (error.code === 'full' && place === 'local') return { ...base, title: m.error_title2() }
  if (error.code === 'full' && typeof place === 'string') return { ...base, title: m.error_title3() }
  if (error.code === 'version' && error.data?.['reason'] === 'unknown-name') return unknownObject(String(error.data['object']))
  const known = reasons[`${error.code} ${reasonOf(error) ?? ''}`]
  const advice = error.data?.['advice']
  return known ?? (typeof advice === 'string' ? { ...base, advice } : base)
}

/** Which of several things behind one code it is. */
function reasonOf({ data = {} }: WireError): string | undefined {
  if (data['pace'] === true) return 'pace'
  if (data['dialog'] === true) return 'dialog'
  return typeof data['reason'] === 'string' ? data['reason'] : undefined
}

const reasons: Readonly<Partial<Record<string, ErrorText>>> = {
  'offline folder': { title: m.error_offlineFolder_title(), advice: m.error_offlineFolder_advice() },
  'exists disk': { title: m.error_existsDisk_title(), advice: m.error_existsDisk_advice() },
  'unsupported many-disks': { title: m.error_manyDisks_title(), advice: m.error_manyDisks_advice() },
  'unsupported has-copies': { title: m.error_hasCopies_title(), advice: m.error_hasCopies_advice() },
  'unsupported rotates': { title: m.error_rotates_title(), advice: m.error_rotates_advice() },
  'arguments only-disk': { title: m.error_onlyDisk_title(), advice: m.error_onlyDisk_advice() },
  'not-found disk': { title: m.error_notFoundDisk_title(), advice: m.error_notFoundDisk_advice() },
  'unsupported login-path': {
    title: m.error_unsupportedLoginPath_title(),
    advice: m.error_unsupportedLoginPath_advice(),
  },
  'unsupported many-jobs': { title: m.error_unsupportedManyJobs_title(), advice: m.error_unsupportedManyJobs_advice() },
  'unsupported folder-name': { title: m.error_unsupportedFolderName_title(), advice: m.error_unsupportedFolderName_advice() },
  'exists copy-of-itself': { title: m.error_existsCopyOfItself_title(), advice: m.error_existsCopyOfItself_advice() },
  'exists copy-there': { title: m.error_existsCopyThere_title(), advice: m.error_existsCopyThere_advice() },
  'arguments in-source': { title: m.error_argumentsInSource_title(), advice: m.error_argumentsInSource_advice() },
  'arguments holds-copy': { title: m.error_argumentsHoldsCopy_title(), advice: m.error_argumentsHoldsCopy_advice() },
  'unsupported many-copies': { title: m.error_unsupportedManyCopies_title(), advice: m.error_unsupportedManyCopies_advice() },
  'not-found no-snapshot': { title: m.error_notFoundNoSnapshot_title(), advice: m.error_notFoundNoSnapshot_advice() },
  'arguments folder': { title: m.error_argumentsFolder_title(), advice: m.error_argumentsFolder_advice() },
  'unsupported many-kits': { title: m.error_unsupportedManyKits_title(), advice: m.error_unsupportedManyKits_advice() },
  'not-found kit': { title: m.error_notFoundKit_title(), advice: m.error_notFoundKit_advice() },
  'arguments current': { title: m.error_argumentsCurrent_title(), advice: m.error_argumentsCurrent_advice() },
  'arguments beside-backup': { title: m.error_argumentsBesideBackup_title(), advice: m.error_argumentsBesideBackup_advice() },
  'denied save': { title: m.error_deniedSave_title(), advice: m.error_deniedSave_advice() },
  'not-found visit': { title: m.error_notFoundVisit_title(), advice: m.error_notFoundVisit_advice() },
  'arguments moved': { title: m.error_argumentsMoved_title(), advice: m.error_argumentsMoved_advice() },
  'another-repository moved': { title: m.error_anotherRepositoryMoved_title(), advice: m.error_anotherRepositoryMoved_advice() },
  'arguments not-empty': { title: m.error_argumentsNotEmpty_title(), advice: m.error_argumentsNotEmpty_advice() },
  'credentials ended': { title: m.error_credentialsEnded_title(), advice: m.error_credentialsEnded_advice() },
  'credentials nobody': { title: m.error_credentialsNobody_title(), advice: m.error_credentialsNobody_advice() },
  'credentials declined': { title: m.error_credentialsDeclined_title(), advice: m.error_credentialsDeclined_advice() },
  'credentials late': { title: m.error_credentialsLate_title(), advice: m.error_credentialsLate_advice() },
  'credentials scope': { title: m.error_credentialsScope_title(), advice: m.error_credentialsScope_advice() },
  'credentials other-app-key': { title: m.error_credentialsOtherAppKey_title(), advice: m.error_credentialsOtherAppKey_advice() },
  'denied other-account': { title: m.error_deniedOtherAccount_title(), advice: m.error_deniedOtherAccount_advice() },
  'unsupported app-key': { title: m.error_unsupportedAppKey_title(), advice: m.error_unsupportedAppKey_advice() },
  'unsupported browser': { title: m.error_unsupportedBrowser_title(), advice: m.error_unsupportedBrowser_advice() },
  'busy ports': { title: m.error_busyPorts_title(), advice: m.error_busyPorts_advice() },
  'busy pace': { title: m.error_busyPace_title(), advice: m.error_busyPace_advice() },
  'busy dialog': { title: m.error_busyDialog_title(), advice: m.error_busyDialog_advice() },
  'denied no-folder': { title: m.error_deniedNoFolder_title(), advice: m.error_deniedNoFolder_advice() },
}

function unknownObject(name: string): ErrorText {
  return {
    title: m.error_unknownObject_title(),
    advice: m.error_unknownObject_advice({ name }),
  }
}

/** Errors that mean: the storage is away just now. */
export function isOffline(error: WireError): boolean {
  return error.code === 'offline' || error.code === 'unavailable' || error.code === 'throttled'
}

const problems: Readonly<Record<Problem['code'], string>> = {
  'source-missing': m.error_problems_sourceMissing(),
  'source-changed': m.error_problems_sourceChanged(),
  unreadable: m.error_problems_unreadable(),
  vanished: m.error_problems_vanished(),
  changed: m.error_problems_changed(),
  damaged: m.error_problems_damaged(),
  'not-restored': m.error_problems_notRestored(),
  metadata: m.error_problems_metadata(),
  'rolled-back': m.error_problems_rolledBack(),
  'not-synced': m.error_problems_notSynced(),
  'unusual-change': m.error_problems_unusualChange(),
}

export function problemText(code: Problem['code']): string {
  return problems[code]
}
