import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Where } from '../repositories/spread.ts'
import { mountOf, mountsIn, type Mount } from './mounts.ts'

/** What is asked of the system; a test answers instead. */
export interface DiskFacts {
  /** The lines of /proc/self/mountinfo; undefined where there is none. */
  readonly mounts: () => Promise<string | undefined>
  /** Where a path leads. Rejects for one that is not there. */
  readonly real: (path: string) => Promise<string>
  /** Number of the file system that a path is on. Rejects likewise. */
  readonly device: (path: string) => Promise<number>
  /** Names in a folder; empty where it is not there. */
  readonly names: (folder: string) => Promise<readonly string[]>
}

/** File systems of other computers. */
const network = /^(?:nfs4?|cifs|smb3?|smbfs|afs|ceph|davfs|9p|fuse\.(?:sshfs|rclone|davfs2?|s3fs|gvfsd-fuse))$/

/**
 * The disk that a folder is on, or the kind of network drive; undefined where it is not there, or nobody can say. Never rejects. A drive that hangs may
 * keep the answer away for ever; those of other computers are told without a look at them.
 */
export async function diskOf(path: string, facts: DiskFacts = systemFacts): Promise<Where | undefined> {
  try {
    const mounts = mountsIn((await facts.mounts()) ?? '')
    if (isNetwork(mountOf(path, mounts))) return networkDrive
    const real = await facts.real(path)
    const mount = mountOf(real, mounts)
    if (isNetwork(mount)) return networkDrive
    const disk = mount?.source.startsWith('/dev/') ? await wholeDisk(basename(await facts.real(mount.source)), facts) : undefined
    return { at: 'computer', disk: disk ?? String(await facts.device(real)) }
  } catch {
    return undefined
  }
}

const networkDrive: Where = { at: 'elsewhere', kind: 'network drive' }

function isNetwork(mount: Mount | undefined): boolean {
  return mount !== undefined && network.test(mount.type)
}

/** A partition is on a disk, and what is encrypted or joined lies on the first of its parts. */
async function wholeDisk(name: string, facts: DiskFacts, depth = 8): Promise<string> {
  const [part] = depth > 0 ? await facts.names(`/sys/class/block/${name}/slaves`) : []
  if (part !== undefined) return wholeDisk(part, facts, depth - 1)
  const place = await facts.real(`/sys/class/block/${name}`).catch(() => undefined)
  if (place === undefined) return name
  return (await facts.names(place)).includes('partition') ? basename(dirname(place)) : name
}

const systemFacts: DiskFacts = {
  mounts: () => readFile(join('/proc', 'self', 'mountinfo'), 'utf8').catch(() => undefined),
  real: (path) => realpath(path),
  device: async (path) => (await stat(path)).dev,
  names: async (folder) => (await readdir(folder).catch(() => [])).toSorted(),
}
