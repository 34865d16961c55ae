import type { ErrorCode, WireError } from '../protocol/errors.ts'
import { shellWord } from '../protocol/shell-word.ts'

/** What to do about an error, by code; the error's own message says what happened. */
const advice: Readonly<Record<ErrorCode, string | undefined>> = {
  aborted: 'Run the same command again: it goes on where it stopped.',
  arguments: 'See `holdfast --help`.',
  'not-found': 'List what there is with `holdfast snapshots` and `holdfast ls SNAPSHOT`.',
  exists: 'Choose another address, or use what is there.',
  denied: 'Check the permissions of the folder or of the storage account.',
  credentials: 'See `holdfast destinations` for the environment variables that this storage takes its keys from, and check what is in them.',
  password: 'Check HOLDFAST_PASSWORD, the password file, or what you typed. Nobody can recover a lost password.',
  full: 'Free some space, or raise the quota, and run the command again: it goes on where it stopped.',
  throttled: 'The storage asks for patience. Try again later, or lower --concurrency.',
  offline: 'Check the network, the address and that the storage runs, then run the command again.',
  unavailable: 'The storage has trouble of its own. Run the command again later: it goes on where it stopped.',
  unsupported: 'This storage cannot do what the repository needs. Use another one, or ask its provider.',
  damaged: 'Run `holdfast check --read-data` to see what is affected, and `holdfast check --repair` to mend what can be mended.',
  version: 'Update Holdfast on this machine.',
  'not-a-repository': 'Check the address, or create a repository there with `holdfast init`.',
  'another-repository': 'The address holds another repository than before. Check that the right disk or bucket is there.',
  'rolled-back': 'Bring the newer copy of the repository back. If an older one was put there on purpose, run the same command with --accept-older-repository.',
  busy: 'Wait until the other run of this job ends, or stop it.',
  expired: 'Run the backup again: what was stored is used.',
  'source-missing': 'Check that the folder exists and can be read.',
  'unsafe-path': 'The snapshot tries to write outside the target folder. Do not trust this repository.',
  catalog: 'Delete the local catalog with `holdfast rebuild`.',
  crashed: 'Run the command again. If it happens again, report it with the log.',
  internal: 'This is a defect of Holdfast. Report it with the output of the same command with --verbose.',
}

/** What concerns Holdfast's own folder on this machine, and no storage. */
const homeAdvice: Partial<Record<ErrorCode, string>> = {
  denied: 'Set HOLDFAST_HOME to a folder of your own on a disk that works, or mend the rights of this one.',
  full: 'Free some space on the disk that holds HOLDFAST_HOME, or set it to a folder on another disk, and run the command again.',
  arguments: 'Set HOLDFAST_HOME to a folder, or move away what is in its place.',
  busy: 'Wait until the other run ends, or stop it.',
}

export function adviceFor({ code, data }: Pick<WireError, 'code' | 'data'>): string | undefined {
  if (data?.['place'] === 'home') return homeAdvice[code] ?? advice[code]
  if (code === 'offline' && data?.['reason'] === 'folder') return 'Plug in its disk, or connect its network drive, and run the command again. If the folder is elsewhere now, give its new address.'
  if (code === 'version' && data?.['reason'] === 'catalog') return 'Update Holdfast on this machine, or set HOLDFAST_HOME to another folder. Nothing is lost by that.'
  if (code === 'version' && data?.['reason'] === 'unknown-name') {
    return `Update Holdfast on this machine. If it is the newest, somebody else put ${String(data['object'])} there: move it out of the repository. Nothing is lost by that.`
  }
  if (code === 'another-repository' && data?.['place'] === 'address') {
    return 'Check that the right disk or bucket is there. If another repository was put there on purpose, run the same command with --accept-other-repository.'
  }
  if (code === 'rolled-back' && data?.['side'] === 'source') {
    return 'Bring the newer copy of the source back. If an older one was put there on purpose, run the same command with --accept-older-source.'
  }
  if (data?.['signIn'] === true) return `Sign in: ${loginCommand(data)}`
  // Whoever knows the cause knows better what to do than the code does.
  const own = data?.['advice']
  return typeof own === 'string' ? own : advice[code]
}

function loginCommand({ service, account }: NonNullable<WireError['data']>): string {
  return `holdfast login ${String(service)}${account === undefined ? '' : ` --name ${shellWord(String(account))}`}`
}
