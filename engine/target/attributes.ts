import type { ByteString } from '../base/byte-string.ts'
import type { Loss, LossKind } from './dress.ts'
import { errnoOf } from '../base/errno.ts'
import type { AttributeCalls, OpenEntry } from './system-calls.ts'

/** An extended attribute as the system has it: the name with its name space. */
export interface ExtendedAttribute {
  readonly name: ByteString
  readonly value: Uint8Array
}

const accessList = 'system.posix_acl_access'
const defaultList = 'system.posix_acl_default'
const capability = 'security.capability'

/** What an entry that was there before must not keep; labels of the system's policy and what it keeps for itself stay. */
function isRemovable(name: ByteString): boolean {
  return name.startsWith('user.') || name === accessList || name === defaultList || name === capability
}

/**
 * Makes an entry's extended attributes those of the snapshot: after its owner, because a change of owner takes capabilities away; access
 * lists last, because from then on others than the owner may come in. Each that the target does not take is told and passed over.
 * @param state `made`: there are none to take away. `inherits`: at most lists that the folder gave. `there`: any.
 * @param isOwners capabilities lend rights, so they are for the recorded owner only.
 */
export function writeAttributes(
  calls: AttributeCalls | undefined, entry: OpenEntry, wanted: readonly ExtendedAttribute[], state: 'made' | 'inherits' | 'there', isOwners: boolean, onLoss: (loss: Loss) => void,
): void {
  if (!calls) {
    for (const { name } of wanted) onLoss({ kind: lossKind(name), detail: `${name}: ENOTSUP` })
    return
  }
  if (state !== 'made') removeOthers(calls, entry, wanted, state)
  for (const { name, value } of wanted.toSorted((a, b) => rank(a.name) - rank(b.name))) {
    if (name === capability && !isOwners) {
      onLoss({ kind: 'capability', detail: 'of another owner' })
      continue
    }
    try {
      if (state === 'there' && calls.value(entry, name)?.equals(value) === true) continue
      calls.set(entry, name, value)
    } catch (error) {
      onLoss({ kind: lossKind(name), detail: `${name}: ${errnoOf(error) ?? throwAgain(error)}` })
    }
  }
}

/** Whether an entry has these attributes, and none that a restore would take away. */
export function hasAttributes(calls: AttributeCalls | undefined, entry: OpenEntry, wanted: readonly ExtendedAttribute[]): boolean {
  if (!calls) return true
  const names = namesOf(calls, entry)
  return names.every((name) => !isRemovable(name) || wanted.some((each) => each.name === name)) && wanted.every(({ name, value }) => names.includes(name) && calls.value(entry, name)?.equals(value) === true)
}

/** Whether a folder gives a list of its own to what is made in it. */
export function givesLists(calls: AttributeCalls | undefined, folder: OpenEntry): boolean {
  return calls?.value(folder, defaultList) !== undefined
}

function removeOthers(calls: AttributeCalls, entry: OpenEntry, wanted: readonly ExtendedAttribute[], state: 'inherits' | 'there'): void {
  const names = state === 'there' ? namesOf(calls, entry) : [accessList, defaultList]
  for (const name of names) {
    if (!isRemovable(name) || wanted.some((each) => each.name === name)) continue
    try {
      calls.remove(entry, name)
    } catch (error) {
      // It is not there, or this user may not: then it is no worse than it was.
      if (errnoOf(error) === undefined) throw error
    }
  }
}

function namesOf(calls: AttributeCalls, entry: OpenEntry): ByteString[] {
  try {
    return calls.names(entry)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return []
  }
}

function rank(name: ByteString): number {
  return name === accessList ? 2 : name === defaultList ? 1 : 0
}

function lossKind(name: ByteString): LossKind {
  if (name === capability) return 'capability'
  return name.startsWith('system.') && name.includes('acl') ? 'acl' : 'attribute'
}

function throwAgain(error: unknown): never {
  throw error
}
