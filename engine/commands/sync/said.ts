import { hasCode } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { carryAnnotation, readAnnotations, type Annotations } from '../../repository/protocol/annotations.ts'
import { annotationPrefix, type SnapshotRef } from '../../repository/protocol/names.ts'
import type { Repository } from '../../repository/repository.ts'
import { lackingRecords, type AnnotationRecord } from '../../snapshot/annotation.ts'

/** A snapshot of the source, and what it is at the destination. */
export interface Said {
  /** Of the destination. */
  readonly id: string
  readonly from: SnapshotRef
  readonly to: SnapshotRef
}

/** Brings names, notes and pins of snapshots to their copies. The source is asked once; the destination only where the source says anything. */
export class SaidOfSnapshots {
  readonly #destination: Repository
  readonly #said: Annotations
  readonly #there: Annotations | undefined

  private constructor(destination: Repository, said: Annotations, there: Annotations | undefined) {
    this.#destination = destination
    this.#said = said
    this.#there = there
  }

  /** What cannot be read of the source is told, and stays there. Errors: those of both storages. */
  static async read(source: Repository, destination: Repository, log: Log, signal: AbortSignal): Promise<SaidOfSnapshots> {
    const said = await readAnnotations(source, '', new Map(), signal)
    const unreadable = [...said.unknown, ...[...said.found.values()].flatMap((each) => each.unreadable)]
    for (const { object, error } of unreadable) log.write('warning', `${object} at the source cannot be read, and is not carried along: ${error.message}`)
    const isSilent = [...said.found.values()].every(({ records }) => lackingRecords(records, []).length === 0)
    return new SaidOfSnapshots(destination, said, isSilent ? undefined : await readAnnotations(destination, '', new Map(), signal))
  }

  /** Those of which the source says something that the destination did not know when it was asked. */
  lacking(copies: readonly Said[]): readonly Said[] {
    return copies.filter(({ from, to }) => lackingRecords(this.#of(from), this.#there?.found.get(annotationPrefix(to))?.records ?? []).length > 0)
  }

  /** Repeating is harmless. @returns whether anything was said. Errors: those of the destination. */
  async carry({ from, to }: Pick<Said, 'from' | 'to'>, signal: AbortSignal): Promise<boolean> {
    const records = this.#of(from)
    if (lackingRecords(records, []).length === 0) return false
    try {
      return await carryAnnotation(this.#destination, to, records, signal)
    } catch (error) {
      if (hasCode(error, 'not-found')) return false
      throw error
    }
  }

  #of(ref: SnapshotRef): readonly AnnotationRecord[] {
    return this.#said.found.get(annotationPrefix(ref))?.records ?? []
  }
}
