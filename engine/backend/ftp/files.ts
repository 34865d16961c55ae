import { FileType, parseList } from 'basic-ftp'
import { HoldfastError } from '../../base/errors.ts'
import { expectEnd, type FolderEntry } from '../flow/folder-walk.ts'
import type { Watch } from '../http/watch.ts'
import type { FtpConnection } from './connection.ts'
import { isReply } from './errors.ts'

const mostListBytes = 32 * 1024 * 1024
/** A list that people read has no exact times: so many are asked for one by one. */
const mostTimes = 64
const minuteMs = 60_000
const dayMs = 24 * 3_600_000

/** Size and time of a file; undefined where there is none, as far as the server's answer tells. */
export async function infoOf(path: string, connection: FtpConnection, watch: Watch): Promise<{ readonly size: number; readonly modifiedMs: number } | undefined> {
  const size = await sizeOf(path, connection, watch)
  return size === undefined ? undefined : { size, modifiedMs: await timeOf(path, connection, watch) }
}

/** In bytes (RFC 3659, 4); undefined: there is no such file, or nobody may see it. Errors: unsupported, … */
export async function sizeOf(path: string, connection: FtpConnection, watch: Watch): Promise<number | undefined> {
  let reply: string
  try {
    reply = await connection.command(`SIZE ${path}`, watch)
  } catch (error) {
    if (isReply(error, 550, 553)) return undefined
    throw error
  }
  const size = Number(/^213 (\d{1,16})\b/.exec(reply)?.[1] ?? NaN)
  if (!Number.isSafeInteger(size)) throw new HoldfastError('unavailable', 'The server tells a size that no file has.')
  return size
}

/** RFC 3659, 3: in UTC. 0 where the server does not say. */
async function timeOf(path: string, connection: FtpConnection, watch: Watch): Promise<number> {
  try {
    const [, year, month, day, hour, minute, second] = /^213 (\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(await connection.command(`MDTM ${path}`, watch)) ?? []
    return year === undefined ? 0 : Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  } catch (error) {
    if (isReply(error, 500, 501, 502, 504, 550)) return 0
    throw error
  }
}

/** The entries of a folder; undefined where there is none, and as far as can be told. */
export async function entriesOf(path: string, nowMs: number, connection: FtpConnection, watch: Watch): Promise<readonly FolderEntry[] | undefined> {
  if (!(await isFolder(path, connection, watch))) return undefined
  // Servers take a path that begins with a hyphen, or holds spaces, for options or for two: they are in the folder by now.
  const text = await listOf(connection.features.machineLists ? 'MLSD' : 'LIST', connection, watch)
  const listed = parseList(text)
  expectEnd(listed.length)
  const entries: FolderEntry[] = []
  let times = 0
  for (const { name, type, size, modifiedAt, rawModifiedAt } of listed) {
    if (name === '.' || name === '..') continue
    const kind = type === FileType.File ? 'file' : type === FileType.Directory ? 'folder' : 'other'
    const exact = modifiedAt?.getTime() ?? (kind === 'file' && times++ < mostTimes ? await timeOf(name, connection, watch) : 0)
    entries.push({ name, kind, size, modifiedMs: exact || latest(rawModifiedAt, nowMs) })
  }
  return entries
}

/** Goes into a folder; false: there is none, or nobody may see it. */
export async function isFolder(path: string, connection: FtpConnection, watch: Watch): Promise<boolean> {
  try {
    await connection.command(`CWD ${path}`, watch)
    return true
  } catch (error) {
    if (isReply(error, 550)) return false
    throw error
  }
}

async function listOf(command: string, connection: FtpConnection, watch: Watch): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  await connection.fetch(command, 0, (bytes) => {
    chunks.push(bytes)
    if ((length += bytes.length) > mostListBytes) expectEnd(Infinity)
    return true
  }, watch)
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * The latest time that a date of LIST can mean (`Nov 25 23:31`, `Mar  3  2024`): it has no seconds and no zone. So nothing is taken to be
 * older than it is.
 */
function latest(text: string, nowMs: number): number {
  const [, monthAndDay, hour, minute, year] = /^([A-Z][a-z]{2} +\d{1,2}) +(?:(\d{1,2}):(\d\d)|(\d{4}))$/.exec(text.trim()) ?? []
  if (monthAndDay === undefined) return nowMs
  const thisYear = new Date(nowMs).getUTCFullYear()
  const at = (one: number): number => Date.parse(`${monthAndDay} ${one} ${hour ?? '23'}:${minute ?? '59'} UTC`)
  const told = year === undefined ? (at(thisYear) > nowMs + dayMs ? at(thisYear - 1) : at(thisYear)) : at(Number(year))
  return Number.isNaN(told) ? nowMs : Math.min(nowMs, told + dayMs / 2 + minuteMs)
}
