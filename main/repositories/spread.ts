/** Where something lies: on a disk of this computer, or on a kind of storage elsewhere. */
export type Where = { readonly at: 'computer'; readonly disk: string } | { readonly at: 'elsewhere'; readonly kind: string }

/** How the originals of a job and all that was made of them are spread. */
export interface Spread {
  /** The originals count as one. */
  readonly copies: number
  /** The disk of the originals, another disk of this computer, and each kind of storage elsewhere. */
  readonly kinds: number
  /** Copies that are not at this computer. */
  readonly elsewhere: number
  /** What all of them would be lost with; absent where they would not. */
  readonly together?: 'disk' | 'computer'
}

/**
 * The 3-2-1 of a job: three copies, on two kinds of storage, one elsewhere. Pure.
 * @param originals of the folders that are backed up, at least one
 * @param others of the backup and its copies that are there
 */
export function spreadOf(originals: readonly Where[], others: readonly Where[]): Spread {
  const home = new Set(originals.map(nameOf))
  const kinds = new Set(['originals', ...others.map((one) => (home.has(nameOf(one)) ? 'originals' : one.at === 'computer' ? 'another disk' : nameOf(one)))])
  const elsewhere = others.filter((one) => one.at === 'elsewhere').length
  const together = elsewhere > 0 || originals.some(({ at }) => at === 'elsewhere') ? undefined : kinds.size === 1 ? 'disk' : 'computer'
  return { copies: 1 + others.length, kinds: kinds.size, elsewhere, ...(together && { together }) }
}

function nameOf(where: Where): string {
  return where.at === 'computer' ? `disk ${where.disk}` : `kind ${where.kind}`
}
