import { HoldfastError } from '../../base/errors.ts'
import type { Watch } from '../http/watch.ts'
import { isStatus, status } from './errors.ts'
import { notInPlace, type Ground } from './ground.ts'
import type { Entry, Session } from './session.ts'
import { temporaryFolder, temporaryPattern } from './temporary.ts'

/** What an `init` that broke off leaves behind: folders, with names of ours alone in them. */
const leftovers: Readonly<Record<string, RegExp>> = { [temporaryFolder]: temporaryPattern, keys: /^[0-9a-f]{32}$/, probe: /^[0-9a-f]{32}-[ab]$/ }
/** What systems put on a disk or into a login folder by themselves, or keep there for the login itself. */
const harmless = /^(?:lost\+found|\.ds_store|\.spotlight-v100|\.fseventsd|\.trashes|\.trash-\d+|#recycle|@eadir|#snapshot|\.ssh|\.hsh|\.bash_logout|\.bashrc|\.profile|\.cache|\.hushlogin)$/i
const mostLookedAt = 1000

/** Makes the folder of a new repository where it is missing. Errors: arguments (it holds other things), denied, … */
export async function makeRootFor(ground: Ground, session: Session, watch: Watch): Promise<void> {
  const names = ground.root.split('/').filter((name) => name !== '')
  const missing: string[] = []
  for (let count = names.length; count > 0; count--) {
    const path = `/${names.slice(0, count).join('/')}`
    const found = await session.lookThrough(path, watch)
    if (found && found.kind !== 'folder') throw new HoldfastError('arguments', `No folder can be made at ${ground.root} on the server: ${path} is a file.`)
    if (found) break
    missing.unshift(path)
  }
  for (const path of missing) await session.makeFolder(path, watch)
  await expectOwnFolder(ground, session, watch)
}

/** A repository is in the folder, or could be made there; false: it is missing. Nothing of strangers is touched. Errors: arguments (it holds other things). */
export async function expectOwnFolder(ground: Ground, session: Session, watch: Watch): Promise<boolean> {
  const entries = await entriesOf(ground.root, session, watch)
  if (!entries) return false
  if (entries.some(({ name }) => name === 'config')) return true
  const others: string[] = []
  for (const entry of entries) if (!harmless.test(entry.name) && !(await isLeftover(ground, entry, session, watch))) others.push(entry.name)
  if (others.length === 0) return true
  const shown = others.sort().slice(0, 3).map((name) => JSON.stringify(name)).join(', ')
  const more = others.length > 3 ? ` and ${others.length - 3} more` : ''
  throw new HoldfastError('arguments', `The folder ${ground.root} on the server holds other things: ${shown}${more}. A repository wants a folder of its own. Give one that is empty, or a new one inside, such as ${ground.pathOf('holdfast')}.`, {
    data: { reason: 'not-empty', entries: others.length },
  })
}

async function isLeftover(ground: Ground, entry: Entry, session: Session, watch: Watch): Promise<boolean> {
  const ours = leftovers[entry.name]
  if (!ours || entry.kind !== 'folder') return false
  const entries = await entriesOf(ground.pathOf(entry.name), session, watch)
  return entries?.every(({ name }) => ours.test(name)) ?? true
}

/** The first of them are enough to tell; undefined where there is no such folder. */
async function entriesOf(path: string, session: Session, watch: Watch): Promise<readonly Entry[] | undefined> {
  const found = await session.lookThrough(path, watch)
  if (!found) return undefined
  if (found.kind !== 'folder') throw new HoldfastError('arguments', `The destination is not a folder on the server: ${path}`, { cause: notInPlace('folder', path, found) })
  const handle = await session.openFolder(path, watch)
  const entries: Entry[] = []
  try {
    for (let more = await session.nextEntries(handle, watch); more && entries.length < mostLookedAt; more = await session.nextEntries(handle, watch)) {
      entries.push(...more.filter(({ name }) => name !== '.' && name !== '..'))
    }
    return entries
  } catch (error) {
    if (isStatus(error, status.noSuchFile)) return undefined
    throw error
  } finally {
    session.closeSoon(handle)
  }
}
