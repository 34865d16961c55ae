import { HoldfastError } from '../../base/errors.ts'

/** Storages may send pages without a name of ours (many deletions, or somebody else's objects, lie between); so many in a row none does. */
const emptyPages = 200
/** 100 machines of 10 TB in packs of 16 MiB are six million objects. */
const mostNames = 20_000_000

/**
 * The order of a listing in pages: each name once, ascending, below what was asked for, and an end. A storage that keeps to none of that
 * fails with `unsupported`; nothing may rest on such a list.
 */
export class PageGuard {
  readonly #prefix: string
  readonly #mostNames: number
  #lastName = ''
  #names = 0
  #emptyPages = 0
  #named = false

  /** @param prefix of every name */
  constructor(prefix: string, most = mostNames) {
    this.#prefix = prefix
    this.#mostNames = most
  }

  /** Of each name in the order of the pages. `ours`: a possible object name; the order of others is not ours to judge. */
  name(name: string, ours: boolean): void {
    if (!name.startsWith(this.#prefix)) throw liar('The storage lists objects that were not asked for.')
    if (!ours) return
    if (name <= this.#lastName) throw liar('The storage lists objects twice, or without order.')
    if (++this.#names > this.#mostNames) throw liar('The storage lists more objects than any repository has.')
    this.#lastName = name
    this.#named = true
  }

  /** Of each page, when its names have been told. @param next the token of the next page, undefined on the last */
  page(token: string | undefined, next: string | undefined, truncated: boolean): void {
    this.#emptyPages = this.#named ? 0 : this.#emptyPages + 1
    this.#named = false
    if (!truncated) return
    if (next === undefined || next === token || this.#emptyPages >= emptyPages) throw liar('The storage\'s list does not come to an end.')
  }
}

/** The same for lists in no order: they come to an end. Names that come twice are the sorter's matter (wrappers/sorted-lists.ts). */
export class EndGuard {
  readonly #most: number
  #entries = 0
  #emptyPages = 0

  constructor(most = mostNames) {
    this.#most = most
  }

  /** Of each page. @param next the token of the next page, undefined on the last */
  page(entries: number, token: string | undefined, next: string | undefined): void {
    this.#entries += entries
    this.#emptyPages = entries > 0 ? 0 : this.#emptyPages + 1
    if (this.#entries > this.#most) throw liar('The storage lists more objects than any repository has.')
    if (next !== undefined && (next === token || this.#emptyPages >= emptyPages)) throw liar('The storage\'s list does not come to an end.')
  }
}

function liar(message: string): HoldfastError {
  return new HoldfastError('unsupported', message, { data: { reason: 'BadListing' } })
}
