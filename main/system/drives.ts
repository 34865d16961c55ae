import { readdir, readFile, realpath, statfs } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { isWithin, mountOf, mountsIn, type Mount } from './mounts.ts'

/** A file system on a disk that is attached and mounted. */
export interface Drive {
  /** The file system's own id, as it was given when the disk was formatted: the same wherever the disk is plugged in and mounted. */
  readonly id: string
  /** Its label, else the maker's name of the disk, else the name of the folder where it is mounted. */
  readonly name: string
  /** Folder where it is mounted. */
  readonly mount: string
  /** The folder of the file system that is seen there; `/` but for a bind mount or a subvolume. */
  readonly root: string
  /** All places where parts of it are seen. */
  readonly seen: readonly { readonly root: string; readonly point: string }[]
  readonly readOnly: boolean
  /** It is made to be unplugged. */
  readonly removable: boolean
  /** It is on the disk that the system, or the person's home, is on. */
  readonly system: boolean
}

/** One of the drives that a person may keep backups on. */
export interface SizedDrive extends Drive {
  readonly freeBytes: number
  readonly totalBytes: number
}

/** What is asked of the system; a test answers instead. Nothing here rejects. */
export interface DriveFacts {
  /** Text of /proc/self/mountinfo; empty where there is none. */
  readonly mounts: () => Promise<string>
  /** Names in a folder; empty where it is not there. */
  readonly names: (folder: string) => Promise<readonly string[]>
  /** Where a path leads; undefined where it is not there. */
  readonly real: (path: string) => Promise<string | undefined>
  /** First line of a file, without blanks around it; empty where it is not there. */
  readonly line: (path: string) => Promise<string>
  /** Room of the file system at a folder; undefined where it does not answer. */
  readonly space: (folder: string) => Promise<{ readonly freeBytes: number; readonly totalBytes: number } | undefined>
  /** The person's home. */
  readonly home: string
}

/** Folders of the system: the disks under them are its own. */
const systemFolders = ['/', '/boot', '/efi', '/usr', '/var', '/home', '/nix', '/opt', '/srv']
/** File systems that nobody writes a backup on. */
const unwritten = new Set(['squashfs', 'iso9660', 'udf', 'erofs', 'cramfs', 'romfs'])
/** A disk that has not answered after this time is left out. */
const answerMs = 3_000

/** What is attached at one moment. */
export interface AttachedDrives {
  /** Each once, in the order of the mounts. What has no id of its own (network drives, memory) is not among them. */
  readonly all: readonly Drive[]
  /** Where a folder is, or would be made: its drive, and its path in that file system. Undefined where that is on none of them. Never rejects. */
  readonly of: (path: string) => Promise<{ readonly drive: Drive; readonly folder: string } | undefined>
}

/** Looks which disks are mounted. Never rejects; starts no process, asks the disks nothing. */
export async function attachedDrives(facts: DriveFacts = systemFacts()): Promise<AttachedDrives> {
  const mounts = mountsIn(await facts.mounts())
  const [ids, labels] = await Promise.all([linksIn('/dev/disk/by-uuid', facts), linksIn('/dev/disk/by-label', facts)])
  const system = new Set((await Promise.all([...systemFolders, facts.home].map((folder) => disksUnder(folder, mounts, facts)))).flat())
  const found = await Promise.all(mounts.map((mount) => driveAt(mount, { ids, labels, system, mounts }, facts)))
  const drives = new Map<string, Drive>()
  for (const drive of found) {
    if (!drive) continue
    const before = drives.get(drive.id)
    const seen = [...(before?.seen ?? []), ...drive.seen]
    drives.set(drive.id, { ...(before && before.root.length <= drive.root.length ? before : drive), seen })
  }
  return { all: [...drives.values()], of: (path) => driveOf(path, mounts, [...drives.values()], facts) }
}

/** Where a folder of a file system is seen now; undefined where it is not. */
export function seenAt({ seen }: Drive, folder: string): string | undefined {
  const [through] = seen.filter(({ root }) => isWithin(folder, root)).toSorted((a, b) => a.root.length - b.root.length)
  return through && join(through.point, relative(through.root, folder))
}

async function driveOf(path: string, mounts: readonly Mount[], drives: readonly Drive[], facts: DriveFacts): ReturnType<AttachedDrives['of']> {
  const { real, rest } = await nearest(path, facts)
  const mount = mountOf(real, mounts)
  const drive = mount && drives.find(({ seen }) => seen.some(({ point, root }) => point === mount.point && root === mount.root))
  return drive && { drive, folder: join(mount.root, relative(mount.point, real), rest) }
}

/** The real path of what is there of a path, and the rest that is not. */
async function nearest(path: string, facts: DriveFacts): Promise<{ readonly real: string; readonly rest: string }> {
  const real = await facts.real(path)
  if (real !== undefined || dirname(path) === path) return { real: real ?? path, rest: '' }
  const above = await nearest(dirname(path), facts)
  return { real: above.real, rest: join(above.rest, basename(path)) }
}

/**
 * The drives that a person may keep backups on, those made to be unplugged first: not the disk of the system, unless there is nothing else than a part of
 * it that is mounted apart. Never rejects.
 */
export async function drivesForBackups(facts: DriveFacts = systemFacts()): Promise<readonly SizedDrive[]> {
  const writable = (await attachedDrives(facts)).all.filter(({ readOnly, mount, root }) => !readOnly && root === '/' && !isOfSystem(mount, facts.home))
  const others = writable.filter(({ system }) => !system)
  const sized = await Promise.all((others.length > 0 ? others : writable).map(async (drive) => ({ ...drive, space: await facts.space(drive.mount) })))
  const found = sized.flatMap(({ space, ...drive }) => (space && space.totalBytes > 0 ? [{ ...drive, ...space }] : []))
  return found.toSorted((a, b) => Number(b.removable) - Number(a.removable))
}

interface Known {
  /** By the real path of the device. */
  readonly ids: ReadonlyMap<string, string>
  readonly labels: ReadonlyMap<string, string>
  /** Names of whole disks. */
  readonly system: ReadonlySet<string>
  readonly mounts: readonly Mount[]
}

async function driveAt(mount: Mount, { ids, labels, system, mounts }: Known, facts: DriveFacts): Promise<Drive | undefined> {
  if (unwritten.has(mount.type) || mountOf(mount.point, mounts) !== mount) return undefined
  const device = await deviceOf(mount, facts)
  const id = device === undefined ? undefined : ids.get(device)
  if (device === undefined || id === undefined) return undefined
  const disks = await wholeDisks(basename(device), facts)
  // What lies in a file of another disk is no disk of its own.
  if (disks.some((disk) => disk.startsWith('loop') || disk.startsWith('zram'))) return undefined
  const [disk = ''] = disks
  const name = labels.get(device) ?? ((await facts.line(`/sys/class/block/${disk}/device/model`)) || basename(mount.point))
  const { point, root, readOnly } = mount
  return { id, name, mount: point, root, seen: [{ root, point }], readOnly, removable: await isRemovable(disk, facts), system: disks.some((one) => system.has(one)) }
}

/** Real path of the device that is mounted; undefined for what is on none. */
async function deviceOf({ source, device }: Mount, facts: DriveFacts): Promise<string | undefined> {
  const named = source.startsWith('/dev/') ? await facts.real(source) : undefined
  if (named !== undefined) return named
  const found = await facts.real(`/sys/dev/block/${device}`)
  return found === undefined ? undefined : `/dev/${basename(found)}`
}

/** The disks that a folder is on, by name. */
async function disksUnder(folder: string, mounts: readonly Mount[], facts: DriveFacts): Promise<readonly string[]> {
  const mount = mountOf((await facts.real(folder)) ?? folder, mounts)
  const device = mount && (await deviceOf(mount, facts))
  return device === undefined ? [] : wholeDisks(basename(device), facts)
}

/** The disks that a device is on: a partition is on one, and what is encrypted or joined on those of its parts. */
async function wholeDisks(name: string, facts: DriveFacts, depth = 8): Promise<readonly string[]> {
  const parts = depth > 0 ? await facts.names(`/sys/class/block/${name}/slaves`) : []
  if (parts.length > 0) return (await Promise.all(parts.map((part) => wholeDisks(part, facts, depth - 1)))).flat()
  const place = await facts.real(`/sys/class/block/${name}`)
  if (place === undefined) return [name]
  return [(await facts.names(place)).includes('partition') ? basename(dirname(place)) : name]
}

/** Disks in a case of their own say of themselves that they are fixed: the plug tells. */
async function isRemovable(disk: string, facts: DriveFacts): Promise<boolean> {
  const place = `/sys/class/block/${disk}`
  if ((await facts.line(`${place}/removable`)) === '1') return true
  const real = (await facts.real(place)) ?? ''
  return /\/(?:usb|firewire)\d|\/fw\d/.test(real) || (await facts.line(`${place}/device/type`)) === 'SD'
}

function isOfSystem(point: string, home: string): boolean {
  return systemFolders.includes(point) || point === home || isWithin(point, '/boot') || isWithin(point, '/efi') || isWithin(point, '/snap')
}

/** Names of links by where they lead. udev writes bytes that are unusual in names as `\x20`. */
async function linksIn(folder: string, facts: DriveFacts): Promise<ReadonlyMap<string, string>> {
  const links = await Promise.all((await facts.names(folder)).map(async (name) => ({ name: plainName(name), leads: await facts.real(join(folder, name)) })))
  return new Map(links.flatMap(({ name, leads }) => (leads === undefined ? [] : [[leads, name] as const])))
}

function plainName(name: string): string {
  if (!name.includes('\\x')) return name
  const bytes = [...name.matchAll(/\\x([0-9a-f]{2})|[^\\]+|\\/gi)].map(([part, hex]) => (hex === undefined ? Buffer.from(part) : Buffer.from([parseInt(hex, 16)])))
  return Buffer.concat(bytes).toString()
}

/** @param under folder in place of `/` for what the system says of itself; room is asked where the mounts say */
export function systemFacts(under = '/'): DriveFacts {
  const at = (path: string): string => (/^\/(?:proc|sys|dev)\//.test(path) ? join(under, path) : path)
  return {
    mounts: () => readFile(at('/proc/self/mountinfo'), 'utf8').catch(() => ''),
    names: async (folder) => (await readdir(at(folder)).catch(() => [])).toSorted(),
    real: async (path) => {
      const found = await realpath(at(path)).catch(() => undefined)
      return under !== '/' && found?.startsWith(`${under}/`) === true ? found.slice(under.length) : found
    },
    line: async (path) => ((await readFile(at(path), 'utf8').catch(() => '')).split('\n', 1)[0] ?? '').trim(),
    space: (folder) => within(answerMs, statfs(folder).then(({ bsize, bavail, blocks }) => ({ freeBytes: bavail * bsize, totalBytes: blocks * bsize }))),
    home: homedir(),
  }
}

/** What has come in time; undefined where it has not, or failed. */
function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => { resolve(undefined) }, ms)
    work.then(resolve, () => { resolve(undefined) }).finally(() => { clearTimeout(timer) })
  })
}
