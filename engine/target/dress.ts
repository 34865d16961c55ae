import { writeAttributes } from './attributes.ts'
import type { ExtendedAttribute } from './attributes.ts'
import { errnoOf } from '../base/errno.ts'
import type { OpenEntry, SystemCalls } from './system-calls.ts'

/** What the snapshot says of an entry besides its content. */
export interface Metadata {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeNs: bigint
  readonly attributes?: readonly ExtendedAttribute[] | undefined
}

export type LossKind = 'owner' | 'mode' | 'set-id' | 'time' | 'acl' | 'capability' | 'attribute'

/** Something of an entry that the target does not have now; its content is there. */
export interface Loss {
  readonly kind: LossKind
  /** For people, short: an attribute's name, the system's reason. */
  readonly detail: string
}

export const noLosses: readonly Loss[] = []

/** Everywhere between these a time is kept as it is; beyond, some file systems hold none, and take the nearest without a word. */
const surelyFromNs = 315_532_800_000_000_000n
const surelyToNs = 2_147_483_647_000_000_000n

const setIdBits = 0o6000
const setUserId = 0o4000
const setGroupId = 0o2000

interface What {
  readonly type: 'file' | 'directory' | 'symlink' | 'fifo'
  /** `made`: by this run, nothing to take away. `inherits`: so, but in a folder that gives its ACL to what is made in it. */
  readonly state: 'made' | 'inherits' | 'there'
}

/**
 * Gives entries that are held their metadata, in the one order that keeps all of it: a change of owner takes set-id bits and
 * capabilities away, so it comes first; an ACL and the mode are two views of the same bits; the mode comes last, because it tells that a
 * file is whole. Set-id bits and capabilities lend the rights of an owner, so they are kept only where the owner is the recorded one;
 * an ACL names its users itself and is kept anyway. What the target does not take is a loss, no error.
 */
export class Dresser {
  readonly #calls: SystemCalls
  /** Owners can be restored. */
  readonly #asRoot: boolean

  constructor(calls: SystemCalls, asRoot: boolean) {
    this.#calls = calls
    this.#asRoot = asRoot
  }

  dress(entry: OpenEntry, metadata: Metadata, { type, state }: What): readonly Loss[] {
    const losses: Loss[] = []
    const attempt = (kind: LossKind, work: () => void): boolean => {
      try {
        work()
        return true
      } catch (error) {
        const errno = errnoOf(error)
        if (errno === undefined) throw error
        losses.push({ kind, detail: errno })
        return false
      }
    }
    const isOwners = this.#own(entry, metadata, attempt)
    if (state !== 'made' || metadata.attributes) writeAttributes(this.#calls.attributes, entry, metadata.attributes ?? [], state, isOwners, (loss) => { losses.push(loss) })
    attempt('time', () => { this.#setModified(entry, metadata.mtimeNs, losses) })
    if (type !== 'symlink') {
      const mode = this.#allowedMode(entry, metadata, isOwners, type, losses)
      attempt('mode', () => { this.#calls.setMode(entry, mode) })
    }
    return losses.length === 0 ? noLosses : losses
  }

  /** The recorded mode without the set-id bits that an entry of this owner must not have. */
  modeFor(metadata: Metadata, uid: number, gid: number, type: What['type']): number {
    const group = gid === metadata.gid && (type === 'directory' || uid === metadata.uid)
    return metadata.mode & ~(uid === metadata.uid ? 0 : setUserId) & ~(group ? 0 : setGroupId)
  }

  /** @returns whether the entry surely belongs to whom it did. */
  #own(entry: OpenEntry, { uid, gid }: Metadata, attempt: (kind: LossKind, work: () => void) => boolean): boolean {
    if (this.#asRoot) return attempt('owner', () => { this.#calls.setOwner(entry, uid, gid) })
    const now = this.#calls.statEntry(entry)
    if (Number(now.gid) !== gid) {
      try {
        // Who is a member of the group may give a file to it.
        this.#calls.setOwner(entry, -1, gid)
      } catch (error) {
        if (errnoOf(error) === undefined) throw error
      }
    }
    return Number(now.uid) === uid
  }

  #allowedMode(entry: OpenEntry, metadata: Metadata, isOwners: boolean, type: What['type'], losses: Loss[]): number {
    if ((metadata.mode & setIdBits) === 0 || (this.#asRoot && isOwners)) return metadata.mode
    const { uid, gid } = this.#calls.statEntry(entry)
    const mode = this.modeFor(metadata, Number(uid), Number(gid), type)
    if (mode !== metadata.mode) losses.push({ kind: 'set-id', detail: `mode ${metadata.mode.toString(8)} became ${mode.toString(8)}` })
    return mode
  }

  #setModified(entry: OpenEntry, mtimeNs: bigint, losses: Loss[]): void {
    this.#calls.setModified(entry, mtimeNs)
    if (mtimeNs >= surelyFromNs && mtimeNs <= surelyToNs) return
    const now = this.#calls.statEntry(entry).mtimeNs
    const difference = now > mtimeNs ? now - mtimeNs : mtimeNs - now
    // File systems with steps of two seconds hold the time.
    if (difference > 2_000_000_000n) losses.push({ kind: 'time', detail: `${isoOf(mtimeNs)} became ${isoOf(now)}` })
  }
}

function isoOf(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString()
}
