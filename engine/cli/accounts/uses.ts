import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isSameName } from '../../accounts/account.ts'
import { serviceName } from '../../accounts/services.ts'
import { accountOf } from '../../accounts/source.ts'
import { hostOf } from '../../commands/host.ts'
import { parseAppStatus, statusFile } from '../../protocol/app-status.ts'
import type { AccountReference } from '../../protocol/accounts.ts'
import { providers } from '../../protocol/providers/registry.ts'
import { visibleText } from '../../protocol/visible-text.ts'

export type NamedAccount = Required<AccountReference>

/** A job and where it goes. */
export interface Use {
  readonly job: string
  readonly address: string
}

/** What stands still, or may, without an account. */
export interface Uses {
  /** Of the command line, by the snapshots that this machine remembers to have made. */
  readonly jobs: readonly Use[]
  /** Of the app, at an account of this name: it has a sign-in of its own. */
  readonly appJobs: readonly Use[]
}

/** Tells what uses an account by what this machine remembers of repositories and by what the app has told of its jobs; asks no storage. */
export async function usesOf(home: string, account: NamedAccount): Promise<Uses> {
  const appJobs = await appUses(home, account)
  // What the app's jobs have left is remembered in the same place.
  const jobs = (await ownUses(home, account)).filter(({ job }) => !appJobs.some((one) => one.job === job))
  return { jobs, appJobs }
}

async function ownUses(home: string, account: NamedAccount): Promise<readonly Use[]> {
  const { openMarks } = await import('../../catalog/marks.ts')
  const { marks: opened } = openMarks(home)
  using marks = opened
  const host = hostOf({})
  return marks.addresses().filter(({ address }) => isAt(address, account)).flatMap(({ address, repositoryId }) =>
    marks.revisions(repositoryId).filter((one) => one.host === host && one.state === 'snapshot').map(({ job }) => ({ job, address })))
}

/** Whether an address as storages are remembered (`dropbox:/path of NAME`, without `of` where there was but one account) is at the account. */
function isAt(label: string, { service, name }: NamedAccount): boolean {
  const provider = providers.find(({ id }) => label.startsWith(`${id}:`))
  if (provider?.signIn !== service) return false
  const of = label.lastIndexOf(' of ')
  return of === -1 || isSameName(label.slice(of + 4), name)
}

async function appUses(home: string, { service, name }: NamedAccount): Promise<readonly Use[]> {
  // No app, or one that has told nothing that is understood: then nothing is known of its jobs.
  const told = parseAppStatus(await readFile(join(home, statusFile), 'utf8').catch(() => ''))
  if (typeof told === 'string') return []
  const isThere = (address: string): boolean => {
    const used = accountOf(address)
    return used?.service === service && (used.name === undefined || isSameName(used.name, name))
  }
  return told.jobs.flatMap(({ name: job, destination, copies }) => [destination, ...copies.map((copy) => copy.destination)].filter(isThere).map((address) => ({ job, address })))
}

/** For people; nothing where nothing is known to use it. */
export function useLines({ jobs, appJobs }: Uses, { service, name }: NamedAccount): readonly string[] {
  const line = ({ job, address }: Use): string => `  ${visibleText(job)}, to ${visibleText(address)}`
  const title = serviceName(service)
  return [
    ...(jobs.length === 0 ? [] : [`Backups of this machine to the ${title} account "${name}", which fail until somebody signs in again:`, ...jobs.map(line)]),
    ...(appJobs.length === 0 ? [] : [`The app has jobs at an account of this name, with a sign-in of its own${service === 'google' ? ', which Google may end as well' : ', which stays'}:`, ...appJobs.map(line)]),
  ]
}
