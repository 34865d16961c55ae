import type { ErrorCode, Problem, WireError } from '../state/bridge.ts'
import { formatBytes } from './format.ts'

/** What happened, and what the user can do about it. */
export interface ErrorText {
  readonly title: string
  readonly advice: string
}

const errors: Readonly<Record<ErrorCode, ErrorText>> = {
  aborted: { title: 'It was stopped', advice: 'Start it again whenever you like; what was already sent is kept.' },
  arguments: { title: 'Something in the settings is not right', advice: 'Look through the fields and correct what is marked.' },
  'not-found': { title: 'It is no longer there', advice: 'It may have been removed meanwhile. Reload the list and try again.' },
  exists: { title: 'That name is taken', advice: 'Choose another name.' },
  denied: { title: 'Access was refused', advice: 'Check the permissions of the folder or storage; it may be read-only.' },
  credentials: { title: 'The storage does not accept these keys', advice: 'Check what was entered for the destination; keys and sign-ins can expire.' },
  password: { title: 'The password does not open this repository', advice: 'Check the spelling and the caps lock. The password of a job can be entered anew under “Edit job”.' },
  full: { title: 'There is no space left', advice: 'Free some space or raise the quota; the next run continues where this one stopped.' },
  throttled: { title: 'The storage asks for a slower pace', advice: 'Holdfast waits and goes on by itself. Fewer uploads at a time can help.' },
  offline: { title: 'The storage cannot be reached', advice: 'Check the network. Holdfast continues where it stopped.' },
  unavailable: { title: 'The storage has trouble answering', advice: 'This usually passes. Try again in a few minutes.' },
  unsupported: { title: 'The storage lacks something Holdfast needs', advice: 'Use another destination for this backup.' },
  damaged: { title: 'Stored data is damaged', advice: 'Check the disk or the storage. Other snapshots may be whole.' },
  version: { title: 'This repository was made by a newer Holdfast', advice: 'Update Holdfast on this computer.' },
  'not-a-repository': { title: 'There is no Holdfast repository here', advice: 'Check the address. A backup to it creates one.' },
  'another-repository': { title: 'There is a different repository at this place', advice: 'Another disk may be plugged in, or the folder was replaced. Nothing was written.' },
  'rolled-back': { title: 'The repository is older than what this computer has seen of it', advice: 'Somebody put an older copy in its place, or the storage holds the newest snapshots back. Nothing was changed. Bring the newer copy back, or go on with the older one if that was done on purpose.' },
  busy: { title: 'It is running already', advice: 'Wait until it is done, or stop it first.' },
  expired: { title: 'The backup took too long to commit', advice: 'Run it again; what was sent is kept.' },
  'source-missing': { title: 'A source folder cannot be read', advice: 'It may be on a disk that is not plugged in, or was moved. Edit the job if it moved for good.' },
  'unsafe-path': { title: 'A file was refused because it would have been written outside the target folder', advice: 'Nothing outside of the target was touched. The snapshot may have been tampered with.' },
  catalog: { title: 'The local index cannot be used', advice: 'Check that this computer’s disk has space and works, then run the job again.' },
  crashed: { title: 'The backup process ended unexpectedly', advice: 'Run it again; it continues where it stopped. The log tells more.' },
  internal: { title: 'Something went wrong inside Holdfast', advice: 'Try again. If it happens again, the log tells more.' },
}

/** Says more than the code does where the error knows it: whose disk is full, which object nobody knows, what the storage's refusal asks for. */
export function errorText(error: WireError): ErrorText {
  const base = errors[error.code]
  const place = error.data?.['place']
  const missing = error.data?.['missingBytes']
  if (error.code === 'full' && typeof missing === 'number') {
    return { title: `The destination needs about ${formatBytes(missing)} more`, advice: 'Free some space there, raise the quota, or leave something out. Some room always stays free, so that old snapshots can still be cleared away.' }
  }
  if (error.code === 'full' && place === 'local') return { ...base, title: 'This computer’s disk is full' }
  if (error.code === 'full' && typeof place === 'string') return { ...base, title: 'The backup storage is full' }
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
  'offline folder': { title: 'The folder of the backup is not there', advice: 'Plug in its disk, or connect its network drive. Holdfast goes on where it stopped as soon as it is back.' },
  'not-found disk': { title: 'This disk is not plugged in any more', advice: 'Plug it in again, or choose another one.' },
  'unsupported login-path': {
    title: 'Start on login cannot be set for this copy of Holdfast',
    advice: 'The path of the program has characters that the desktop cannot read back, such as a line break or an equals sign. Move Holdfast to another folder.',
  },
  'unsupported many-jobs': { title: 'There are 200 jobs already', advice: 'Delete one that is no longer needed, or add folders to a job that exists.' },
  'unsupported folder-name': { title: 'The name of this folder is in an unknown encoding', advice: 'Rename it, or choose the folder above it. The command line takes such names as they are.' },
  'exists copy-of-itself': { title: 'The backup itself is at this place', advice: 'Choose a place of its own for the copy, best on another disk or elsewhere.' },
  'exists copy-there': { title: 'A copy is at this place already', advice: 'Choose another place.' },
  'arguments in-source': { title: 'The copy would be backed up itself', advice: 'Choose a place that is in none of the folders that are backed up.' },
  'arguments holds-copy': { title: 'A copy of this backup lies in one of these folders', advice: 'It would be backed up with them and grow each time. Choose other folders, or remove the copy first.' },
  'unsupported many-copies': { title: 'There are 8 copies already', advice: 'Remove one that is no longer needed.' },
  'not-found no-snapshot': { title: 'There is no snapshot of this job yet', advice: 'Run a backup first.' },
  'arguments folder': { title: 'This folder has to be chosen again', advice: 'A folder counts only when it was chosen in the system’s dialog, and only once for a restore.' },
  'unsupported many-kits': { title: 'There are 16 recovery kits already', advice: 'Take one away whose page is lost or destroyed.' },
  'not-found kit': { title: 'This recovery kit is no longer there', advice: 'Holdfast forgets the words of a kit after an hour, and when it ends. Make another kit, and destroy the page of this one.' },
  'arguments current': { title: 'This computer itself opens the backup with these words', advice: 'Enter a password of the backup under “Edit job” first.' },
  'arguments beside-backup': { title: 'A backup is in this folder', advice: 'Whoever finds it would find what opens it beside it. Save the page somewhere else.' },
  'denied save': { title: 'The page could not be saved there', advice: 'Choose a folder that you can write to.' },
  'not-found visit': { title: 'This backup is no longer open', advice: 'Open it again to go on.' },
  'arguments moved': { title: 'Another destination needs its own password and keys', advice: 'Enter them in the form; what is stored belongs to the old destination.' },
  'another-repository moved': { title: 'Another repository is at this address', advice: 'Enter its password to use it for this job, or find the address of the job’s own repository.' },
  'arguments not-empty': { title: 'This folder holds other things', advice: 'A repository wants a folder of its own. Choose an empty one, or make a new one inside.' },
  'credentials ended': { title: 'The account has to be signed in to again', advice: 'Its consent was withdrawn, or has ended. Sign in again, here or in the settings; jobs with it go on by themselves then.' },
  'credentials nobody': { title: 'Nobody is signed in to this account', advice: 'Sign in, here or in the settings; jobs with it go on by themselves then.' },
  'credentials declined': { title: 'Holdfast was not allowed in', advice: 'Sign in again and allow it on the page of the service.' },
  'credentials late': { title: 'Nobody came back from the browser in time', advice: 'Start the sign-in again.' },
  'credentials scope': { title: 'Holdfast may not keep files in this account', advice: 'Sign in again, and leave every box ticked on the page of the service.' },
  'credentials other-app-key': { title: 'The account was signed in to with another app key', advice: 'Set the app key of before, or sign in again.' },
  'denied other-account': { title: 'That is another account', advice: 'Nothing was changed. Sign in as before; your browser may have to sign out of the other account first. For the other account, use “Sign in to another account”.' },
  'unsupported app-key': { title: 'This copy of Holdfast cannot sign in there', advice: 'It was built without an app key for this service. The README says how to use one of your own.' },
  'unsupported browser': { title: 'No browser could be opened', advice: 'Choose a default browser in the settings of your system, then sign in again.' },
  'busy ports': { title: 'The browser’s answer could not be waited for', advice: 'Another program uses the ports 17417, 22417 and 27417 on this computer. End it, or another sign-in, and try again.' },
  'busy pace': { title: 'That was a lot at once', advice: 'Wait a moment, then try again.' },
  'busy dialog': { title: 'Another dialog is open', advice: 'Answer it first; it may be behind this window.' },
  'denied no-folder': { title: 'This is no folder that can be shown', advice: 'Only plain folders are opened, never programs or files.' },
}

function unknownObject(name: string): ErrorText {
  return {
    title: 'The repository holds a file that this Holdfast does not know',
    advice: `It is “${name}”. Update Holdfast on this computer; if it is the newest, something else put that file there: move it out of the repository, nothing is lost by that.`,
  }
}

/** Errors that mean: the storage is away just now. */
export function isOffline(error: WireError): boolean {
  return error.code === 'offline' || error.code === 'unavailable' || error.code === 'throttled'
}

const problems: Readonly<Record<Problem['code'], string>> = {
  'source-missing': 'This folder is not there',
  'source-changed': 'This folder is suddenly empty or on another disk',
  unreadable: 'Could not be read',
  vanished: 'Disappeared while it was being read',
  changed: 'Changed while it was being read',
  damaged: 'Damaged in the repository',
  'not-restored': 'Was not restored',
  metadata: 'Some of its attributes could not be set',
  'rolled-back': 'Was in the repository and is gone',
  'not-synced': 'Could not be copied',
  'unusual-change': 'An unusual change',
}

export function problemText(code: Problem['code']): string {
  return problems[code]
}
