import type { UnusualReason } from '../protocol/changes.ts'
import { systemRandom } from '../repository/crypto.ts'
import { annotateSnapshot } from '../repository/protocol/annotations.ts'
import { DecisionCache } from '../repository/protocol/snapshots.ts'
import { unusualWords } from './backup/unusual.ts'
import type { CommandContext } from './context.ts'
import { readHolds, type HeldSnapshot } from './holds.ts'
import type { RepositoryAddress } from './init.ts'
import { openForCommand, type OpenRepository } from './open.ts'

/** A snapshot whose run was unusual, and which nobody has said to be fine. */
export interface UnusualSnapshot {
  /** `JOB@REV` */
  readonly id: string
  readonly job: string
  readonly host: string
  readonly finishedMs: number
  readonly reasons: readonly UnusualReason[]
  /** The same in words. */
  readonly words: string
}

/** The unusual snapshots that hold something back, oldest first. Errors: those of openForCommand. */
export async function listUnusual(address: RepositoryAddress, context: CommandContext): Promise<readonly UnusualSnapshot[]> {
  await using open = await openForCommand({ ...address, type: 'test' }, context)
  await open.memory.require(context.signal)
  return (await readHolds(open, new DecisionCache(), context.signal)).flatMap(({ unusual }) => unusual.map(described)).sort((a, b) => a.finishedMs - b.finishedMs)
}

/**
 * Says that what happened to a job of a host is as it should be: nothing of it is held any more, on any machine. Broken off, some of it is said; repeating goes on.
 * @returns what it was said of; nothing where nothing was held. Errors: those of openForCommand and annotateSnapshot.
 */
export async function acknowledge(address: RepositoryAddress, { job, host }: { readonly job: string; readonly host: string }, context: CommandContext): Promise<readonly UnusualSnapshot[]> {
  await using open = await openForCommand({ ...address, type: 'test' }, context)
  await open.memory.require(context.signal)
  return (await acknowledgeIn(open, { job, host }, new DecisionCache(), context.signal)).map(described)
}

/** The same in a repository that is open. @param cache of snapshots that were read, or will be */
export async function acknowledgeIn(
  open: Pick<OpenRepository, 'repository' | 'memory'>, { job, host }: { readonly job: string; readonly host: string }, cache: DecisionCache, signal: AbortSignal,
): Promise<readonly HeldSnapshot[]> {
  const holds = await readHolds(open, cache, signal)
  const unusual = holds.filter((hold) => hold.job === job && hold.host === host).flatMap((hold) => hold.unusual)
  for (const { ref } of unusual) await annotateSnapshot(open.repository, ref, { fine: true }, systemRandom, signal)
  return unusual
}

function described({ id, job, host, finishedMs, unusual = [] }: { readonly id: string; readonly job: string; readonly host: string; readonly finishedMs: number; readonly unusual?: readonly UnusualReason[] }): UnusualSnapshot {
  return { id, job, host, finishedMs, reasons: unusual, words: unusualWords(unusual) }
}
