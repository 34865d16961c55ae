import type { Dirent } from 'node:fs'
import { HoldfastError } from '../../base/errors.ts'
import { hasErrno } from '../../base/errno.ts'
import type { Folder } from './folder.ts'
import { Ground, makeRoot, type GroundOptions } from './ground.ts'
import { workName } from './temporary.ts'

/** What an `init` that broke off leaves behind: folders, with names of ours alone in them. */
const leftovers: Readonly<Record<string, RegExp>> = {
  '.tmp': workName, '.staging': /^$/, keys: /^[0-9a-f]{32}$/, probe: /^[0-9a-f]{32}-[abc]$/,
}

/** What systems put on a disk by themselves. */
const harmless = new Set([
  'lost+found', '.ds_store', '.spotlight-v100', '.fseventsd', '.trashes', '.temporaryitems', '.documentrevisions-v100',
  'system volume information', '$recycle.bin', 'desktop.ini', 'thumbs.db', '.directory',
])
const trash = /^\.trash(?:-\d+)?$/

/**
 * Makes the folder of a new repository where it is missing. One that is there and holds other things is refused, so that a repository
 * never mixes with somebody's files; nothing in it is touched. Errors: arguments, denied, errno errors.
 */
export async function makeRootFor(root: string, options: GroundOptions): Promise<void> {
  await makeRoot(root).catch((cause: unknown) => {
    const refused = `No folder can be made at ${root}`
    if (hasErrno(cause, 'ENOTDIR')) throw new HoldfastError('arguments', `${refused}: a part of this path is a file.`, { cause })
    throw hasErrno(cause, 'ENOENT') ? new HoldfastError('denied', `${refused}.`, { cause }) : cause
  })
  await expectOwnFolder(await Ground.open(root, options), root)
}

/** A repository is in the folder, or could be made there. Errors: arguments (it holds other things), errno errors. */
export async function expectOwnFolder(ground: Ground, root: string): Promise<void> {
  using folder = await ground.enter('')
  const entries = await folder.entries()
  if (entries.some(({ name }) => name === 'config')) return
  const others: string[] = []
  for (const entry of entries) if (!isSystems(entry.name) && !(await isLeftover(folder, entry))) others.push(entry.name)
  if (others.length === 0) return
  const shown = others.sort().slice(0, 3).map((name) => JSON.stringify(name)).join(', ')
  const more = others.length > 3 ? ` and ${others.length - 3} more` : ''
  const advice = `A repository wants a folder of its own. Give one that is empty, or a new one inside, such as ${root.replace(/\/+$/, '')}/holdfast.`
  throw new HoldfastError('arguments', `The folder ${root} holds other things: ${shown}${more}. ${advice}`, {
    data: { reason: 'not-empty', entries: others.length },
  })
}

function isSystems(name: string): boolean {
  return harmless.has(name.toLowerCase()) || trash.test(name.toLowerCase())
}

async function isLeftover(folder: Folder, entry: Dirent): Promise<boolean> {
  const ours = leftovers[entry.name]
  if (!ours || !entry.isDirectory()) return false
  using child = await folder.child(entry.name)
  return (await child.entries()).every(({ name }) => ours.test(name))
}
