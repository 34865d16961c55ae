import { hasCode } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { carryAnnotation, readAnnotations, type Annotations } from '../../repository/protocol/annotations.ts'
import { annotationPrefix, type SnapshotRef } from '../../repository/protocol/names.ts'
import type { Repository } from '../../repository/repository.ts'
import { lackingRecords, type AnnotationRecord, type Carried } from '../../snapshot/annotation.ts'

/** A snapshot of the source, and what it is at the destination. */
export interface Said {
  /** Of the destination. */
  readonly id: string
  readonly from: SnapshotRef
  readonly to: SnapshotRef
}

/** Brings names, notes and pins of snapshots to their copies. */
export class SaidOfSnapshots {
  readonly #destination: Repository
  readonly #said: Annotations
  readonly #there: Annotations
  readonly #carried: Carried

  constructor(destination: Repository, { source, destination: there }: SaidOnBoth, carried: Carried) {
    this.#destination = destination
    this.#said = source
    this.#there = there
    this.#carried = carried
  }

  /** Those of which the source says something that the destination did not know when it was asked. */
  lacking(copies: readonly Said[]): readonly Said[] {
    return copies.filter(({ from, to }) => lackingRecords(recordsOf(this.#said, from), recordsOf(this.#there, to), this.#carried).length > 0)
  }

  /** Repeating is harmless. @returns whether anything was said. Errors: those of the destination. */
  async carry({ from, to }: Pick<Said, 'from' | 'to'>, signal: AbortSignal): Promise<boolean> {
    const records = recordsOf(this.#said, from)
    if (!isForCopies(records, this.#carried)) return false
    try {
      return await carryAnnotation(this.#destination, to, records, this.#carried, signal)
    } catch (error) {
      if (hasCode(error, 'not-found')) return false
      throw error
    }
  }
}

/** What is said at both ends of a sync; of the destination nothing where nothing of what the source says concerns a copy. */
export type SaidOnBoth = Readonly<Record<'source' | 'destination', Annotations>>

/** What both sides of a sync say about snapshots. The destination is asked only where the source says something of copies, or where `anyway`. */
export async function readSaid(
  source: Repository, destination: Repository, { anyway, carried }: { readonly anyway: boolean; readonly carried: Carried }, log: Log, signal: AbortSignal,
): Promise<SaidOnBoth> {
  const said = await readAnnotations(source, '', new Map(), signal)
  const all = [...said.found.values()]
  const unreadable = [...said.unknown, ...all.flatMap((each) => each.unreadable)]
  for (const { object, error } of unreadable) log.write('warning', `${object} at the source cannot be read, and is not carried along: ${error.message}`)
  const isAsked = anyway || all.some(({ records }) => isForCopies(records, carried))
  return { source: said, destination: isAsked ? await readAnnotations(destination, '', new Map(), signal) : { found: new Map(), unknown: [] } }
}

function isForCopies(records: readonly AnnotationRecord[], carried: Carried): boolean {
  return lackingRecords(records, [], carried).length > 0
}

function recordsOf({ found }: Annotations, ref: SnapshotRef): readonly AnnotationRecord[] {
  return found.get(annotationPrefix(ref))?.records ?? []
}
