import type { ObjectName } from '../../backend/backend.ts'
import type { Problem } from '../../protocol/progress.ts'

/** Something in the repository that is not as it should be. */
export interface Damage {
  readonly object: ObjectName
  readonly problem: 'missing' | 'damaged' | 'contradicts' | 'unknown-version'
  readonly message: string
}

/** A path of a snapshot that cannot be restored whole; an empty path is the whole snapshot. */
export interface AffectedPath {
  readonly snapshot: string
  readonly path: string
}

/** As a run tells it. */
export function affectedProblem({ snapshot, path }: AffectedPath): Problem {
  return { code: 'damaged', path: path === '' ? snapshot : `${snapshot}: ${path}`, message: 'cannot be restored whole' }
}

/** Lists are cut off here in memory and in the summary; the counts go on, and the log has every line. */
const listed = 10_000

/** What a check has found so far. */
export class Findings {
  readonly damages: Damage[] = []
  readonly affected: AffectedPath[] = []
  readonly affectedSnapshots = new Set<string>()
  /** Packs whose own table of contents is lost and that only an index object explains. As many as there is damage. */
  readonly footerless = new Set<string>()
  damageCount = 0
  affectedCount = 0
  readonly #onFinding: (problem: Problem) => void
  readonly #damagedSegments = new Map<string, Set<number>>()

  /** @param onFinding gets each finding once. */
  constructor(onFinding: (problem: Problem) => void) {
    this.#onFinding = onFinding
  }

  damage(damage: Damage): void {
    this.damageCount++
    if (this.damages.length < listed) this.damages.push(damage)
    this.#onFinding({ code: 'damaged', path: damage.object, message: damage.message })
  }

  affect(snapshot: string, path: string): void {
    this.affectedCount++
    this.affectedSnapshots.add(snapshot)
    if (this.affected.length < listed) this.affected.push({ snapshot, path })
    this.#onFinding(affectedProblem({ snapshot, path }))
  }

  /** Before the snapshots are followed again. */
  forgetAffected(): void {
    this.affected.length = 0
    this.affectedSnapshots.clear()
    this.affectedCount = 0
  }

  /** A segment that was read and is not what was written; as many as there is damage. */
  damagedSegment(pack: string, offset: number): void {
    this.#damagedSegments.set(pack, (this.#damagedSegments.get(pack) ?? new Set()).add(offset))
  }

  isDamagedSegment(pack: string, offset: number): boolean {
    return this.#damagedSegments.get(pack)?.has(offset) ?? false
  }

  /** Packs that still hold something but cannot be relied on any more. */
  damagedPacks(): ReadonlySet<string> {
    return new Set([...this.#damagedSegments.keys(), ...this.footerless])
  }
}

