import {
  chmodSync, chownSync, closeSync, constants, existsSync, fchmodSync, fchownSync, fstatSync, futimesSync, lchownSync, linkSync, lstatSync, lutimesSync, mkdirSync, openSync, readdirSync, readlinkSync,
  renameSync, symlinkSync, unlinkSync, utimesSync,
} from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { execFileSync } from 'node:child_process'
import type { ByteString } from '../base/byte-string.ts'
import type { OpenFolder, SystemCalls } from './system-calls.ts'

/** Here a path may begin with a descriptor, so that nobody can put something else in its place. */
const byDescriptor = process.platform === 'linux' && existsSync('/proc/self/fd')
const windows = process.platform === 'win32'

/** What Windows lacks is 0 there. */
const { O_DIRECTORY = 0, O_NOFOLLOW = 0, O_NONBLOCK = 0 }: Partial<typeof constants> = constants
const itself = 0x20_0000 | O_NOFOLLOW

/**
 * With node:fs alone: on Windows, and where koffi does not load. On Linux as safe as the system's own calls. Elsewhere each folder is
 * looked at before it is used, which whoever may write there can still get between.
 */
export const pathCalls: SystemCalls = {
  exactTimes: false,
  openRoot: (path) => (byDescriptor ? heldFolder(openSync(path, constants.O_RDONLY | O_DIRECTORY)) : { descriptor: -1, path }),
  openFolder(parent, name) {
    const path = pathOf(parent, name)
    if (byDescriptor) return heldFolder(openSync(path, constants.O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    if (!lstatSync(path).isDirectory()) throw Object.assign(new Error('ENOTDIR: open'), { code: 'ENOTDIR', syscall: 'open' })
    return { descriptor: -1, path }
  },
  closeFolder({ descriptor }) { if (descriptor >= 0) closeSync(descriptor) },
  statFolder: ({ descriptor, path }) => (descriptor < 0 ? lstatSync(path, { bigint: true }) : fstatSync(descriptor, { bigint: true })),
  asEntry: (folder) => folder,
  names: ({ path }) => readdirSync(path, { encoding: 'buffer' }),
  openFile: (folder, name, flags, mode) => openSync(pathOf(folder, name), flags | O_NOFOLLOW | O_NONBLOCK, mode),
  openEntry(folder, name) {
    const path = pathOf(folder, name)
    if (!byDescriptor) return { descriptor: -1, path }
    const descriptor = openSync(path, itself)
    return { descriptor, path: `/proc/self/fd/${String(descriptor)}` }
  },
  closeEntry({ descriptor }) { if (descriptor >= 0) closeSync(descriptor) },
  statEntry: ({ descriptor, path }) => (descriptor < 0 && path !== undefined ? lstatSync(path, { bigint: true }) : fstatSync(descriptor, { bigint: true })),
  look: lookByPath,
  readLink: (folder, name) => readlinkSync(pathOf(folder, name), 'buffer'),
  makeFolder(folder, name, mode) { mkdirSync(pathOf(folder, name), mode) },
  makeSymlink(target, folder, name) { symlinkSync(Buffer.from(target), pathOf(folder, name)) },
  makeFifo(folder, name, mode) {
    // mkfifo(1) takes arguments as text; the names that are made are ASCII. Nothing of our environment goes to it.
    execFileSync('mkfifo', ['-m', mode.toString(8), '--', name], { cwd: folder.path.toString(), stdio: 'ignore', env: { PATH: process.env['PATH'] } })
  },
  makeLink(from, original, folder, name) { linkSync(pathOf(from, original), pathOf(folder, name)) },
  rename(folder, from, to) { renameSync(pathOf(folder, from), pathOf(folder, to)) },
  remove(folder, name) { unlinkSync(pathOf(folder, name)) },
  setOwner(entry, uid, gid) {
    if (windows) return
    if (entry.path === undefined) fchownSync(entry.descriptor, uid, gid)
    else (byDescriptor ? chownSync : lchownSync)(entry.path, uid, gid)
  },
  setMode(entry, mode) {
    if (entry.path === undefined) fchmodSync(entry.descriptor, mode)
    else chmodSync(entry.path, mode)
  },
  setModified(entry, mtimeNs) {
    const seconds = Number(mtimeNs / 1_000_000_000n) + Number(mtimeNs % 1_000_000_000n) / 1e9
    if (entry.path === undefined) futimesSync(entry.descriptor, seconds, seconds)
    else (byDescriptor ? utimesSync : lutimesSync)(entry.path, seconds, seconds)
  },
}

export function lookByPath(folder: OpenFolder, name: ByteString): BigIntStats | undefined {
  return lstatSync(pathOf(folder, name), { bigint: true, throwIfNoEntry: false })
}

function heldFolder(descriptor: number): OpenFolder {
  return { descriptor, path: Buffer.from(`/proc/self/fd/${String(descriptor)}`) }
}

function pathOf(folder: OpenFolder, name: ByteString): Buffer {
  return Buffer.concat([folder.path, Buffer.from(`/${name}`, 'latin1')])
}
