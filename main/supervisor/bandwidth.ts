/** An engine that wants a part of the one limit. */
export interface Consumer {
  readonly id: string
  /** A restore weighs more than a backup. */
  readonly weight: number
  /** Bytes a second it would use; Infinity when it uses all that it gets. */
  readonly demand: number
  /** Its own limit; Infinity when it has none. */
  readonly cap: number
}

/**
 * Divides a limit (bytes a second) by weight; what one cannot use goes to the others. The shares never add up to more than
 * the limit and none is above its cap. What nobody wants is given out as well, as room to grow. Without a limit each share
 * is the consumer's cap, Infinity for none.
 */
export function divide(limit: number, consumers: readonly Consumer[]): ReadonlyMap<string, number> {
  if (limit === Infinity) return new Map(consumers.map((one) => [one.id, one.cap]))
  const wanted = fill(limit, consumers, (one) => Math.min(one.cap, one.demand))
  const spare = limit - sum(wanted.values())
  const extra = fill(spare, consumers, (one) => one.cap - (wanted.get(one.id) ?? 0))
  return new Map(consumers.map((one) => [one.id, (wanted.get(one.id) ?? 0) + (extra.get(one.id) ?? 0)]))
}

/** What a backup keeps of its pace beside a restore, and never less than this: a connection on which nothing moves is closed. */
const keptShare = 0.1
const keptBytesPerSecond = 64 * 1024

/**
 * What a backup takes (bytes a second) beside a restore where no limit divides the line between them: transfers that are under way keep to it at once.
 * @param measured what it took before, second by second; the least counts, as buffers take in a new upload at many times the pace of the line
 */
export function paceBesideRestore(measured: readonly number[]): number {
  return Math.max(keptBytesPerSecond, measured.length === 0 ? 0 : Math.min(...measured) * keptShare)
}

/** Fills vessels of the given sizes in proportion to their weights, until the amount is used up or all are full. */
function fill(amount: number, consumers: readonly Consumer[], size: (one: Consumer) => number): Map<string, number> {
  const filled = new Map<string, number>()
  let left = amount
  let open = [...consumers].sort((a, b) => size(a) / a.weight - size(b) / b.weight)
  while (open.length > 0) {
    const [first, ...rest] = open
    if (!first) break
    const fair = (left * first.weight) / sum(open.map((one) => one.weight))
    const given = Math.max(0, Math.min(size(first), fair))
    filled.set(first.id, given)
    left -= given
    open = rest
  }
  return filled
}

function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const one of numbers) total += one
  return total
}

/**
 * What an engine would use, from what it uses now: all that it gets when it comes close to its share (or was just
 * started: Infinity), else a little more than now, and never less than a hundredth of the limit, so that it can come back.
 */
export function estimateDemand(usedBytesPerSecond: number, share: number | undefined, limit: number): number {
  if (share === undefined || usedBytesPerSecond >= share * 0.8) return Infinity
  return Math.max(usedBytesPerSecond * 1.5, limit / 100)
}
