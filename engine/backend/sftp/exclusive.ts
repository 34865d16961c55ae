import { temporaryFolder, temporaryName } from '../flow/unfinished.ts'
import type { Watch } from '../http/watch.ts'
import { isStatus, status } from './errors.ts'
import type { Ground } from './ground.ts'
import type { Session } from './session.ts'

/** Files that want one name at the same moment. */
const racers = 8

/** Runs something in whichever session is free. */
export type InAnySession = <T>(work: (session: Session, watch: Watch) => Promise<T>) => Promise<T>

/**
 * Whether the server gives a file a second name, and only where nothing has that name: tried with files of our own, in turn and at once. What
 * it says of itself proves nothing: rclone offers `hardlink@openssh.com` and moves the file over whatever has the name. Leaves nothing behind.
 * Errors: those of writing and reading.
 */
export async function linksExclusively(ground: Ground, session: Session, watch: Watch, inAnySession: InAnySession): Promise<boolean> {
  await ground.make(temporaryFolder, session, watch)
  const fresh = (): string => ground.pathOf(`${temporaryFolder}/${temporaryName()}`)
  const files = Array.from({ length: racers }, fresh)
  const [first = '', second = ''] = files
  const [inTurn, atOnce] = [fresh(), fresh()]
  try {
    await Promise.all(files.map((file) => write(file, 'new', file, session, watch)))
    if (!(await links(first, inTurn, session, watch)) || (await links(second, inTurn, session, watch))) return false
    // A copy would not change with it, and would not come to be in one step.
    const later = [...first].reverse().join('')
    if (!(await unlessRefused(write(first, 'there', later, session, watch)))) return false
    if (!(await holds(inTurn, later, session, watch)) || !(await holds(second, second, session, watch))) return false
    const won = await Promise.all(files.slice(1).map(async (file) => ((await inAnySession((any, its) => links(file, atOnce, any, its))) ? [file] : [])))
    const [winner, ...others] = won.flat()
    return winner !== undefined && others.length === 0 && (await holds(atOnce, winner, session, watch)) && (await holds(winner, winner, session, watch))
  } finally {
    for (const path of [...files, inTurn, atOnce]) session.removeSoon(path)
  }
}

async function links(from: string, to: string, session: Session, watch: Watch): Promise<boolean> {
  return unlessRefused(session.link(from, to, watch).then(() => true))
}

async function write(path: string, how: 'new' | 'there', text: string, session: Session, watch: Watch): Promise<true> {
  const handle = await session.openToWrite(path, how, watch)
  try {
    await session.write(handle, Buffer.from(text), 0, watch)
    return true
  } finally {
    await session.close(handle, watch)
  }
}

/** Whether a file is there and holds this text. */
async function holds(path: string, text: string, session: Session, watch: Watch): Promise<boolean> {
  return unlessRefused((async () => {
    const handle = await session.openToRead(path, watch)
    const bytes = Buffer.alloc(Buffer.byteLength(text) + 1)
    try {
      return bytes.toString('utf8', 0, await session.read(handle, bytes, 0, watch)) === text
    } finally {
      session.closeSoon(handle)
    }
  })())
}

/** False: the server refuses, for whatever reason. */
async function unlessRefused(asked: Promise<boolean>): Promise<boolean> {
  try {
    return await asked
  } catch (error) {
    if (isStatus(error, ...Object.values(status))) return false
    throw error
  }
}
