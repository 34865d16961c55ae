import * as v from 'valibot'

/** A recovery kit that this machine has made. Its words are kept nowhere. */
export interface KitRecord {
  /** Name of its key, to take it away by. */
  readonly key: string
  /** ms since 1970. */
  readonly madeMs: number
  /** Where the repository was then, as it stands on the page. */
  readonly address: string
  /** The page was printed or saved; before, nobody can have its words. */
  readonly given?: true
  /** When somebody has typed some of its words from the page, ms since 1970. */
  readonly checkedMs?: number
}

export const kitRecord: v.GenericSchema<unknown, KitRecord> = v.object({
  key: v.string(),
  madeMs: v.number(),
  address: v.string(),
  given: v.exactOptional(v.literal(true)),
  checkedMs: v.exactOptional(v.number()),
})

/** As people tell one kit from another: it stands on the page. */
export function kitNumber({ key }: Pick<KitRecord, 'key'>): string {
  return key.slice(0, 8)
}
