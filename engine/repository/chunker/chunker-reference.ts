import type { ChunkerParameters } from '../config.ts'

/**
 * The chunker as one can read it; `Chunker` computes the same, fast, and shared vectors hold the two together.
 *
 * Gear hash with FastCDC's normalisation: after every byte, hash = 2·hash + table[byte] mod 2^64, so that it depends on the last
 * 64 bytes alone. A chunk ends where it is at least `minBytes` long and its hash is below a limit, or at `maxBytes`. Up to
 * `averageBytes` the limit is four times lower than the average asks for, and after it four times higher: sizes gather there.
 */
export function cutReference(table: BigUint64Array, parameters: ChunkerParameters, bytes: Uint8Array, start: number, end: number, last: boolean): number[] {
  const cuts: number[] = []
  for (let from = start; from < end; ) {
    const cut = nextCut(table, parameters, bytes, from, end) ?? (last ? end : undefined)
    if (cut === undefined) break
    cuts.push(cut)
    from = cut
  }
  return cuts
}

function nextCut(table: BigUint64Array, parameters: ChunkerParameters, bytes: Uint8Array, from: number, end: number): number | undefined {
  const { minBytes, averageBytes, maxBytes } = parameters
  const { hard, easy } = cutLimits(averageBytes)
  let hash = 0n
  for (let at = from + minBytes - 64; at < end; at++) {
    hash = BigInt.asUintN(64, (hash << 1n) + (table[bytes[at] ?? 0] ?? 0n))
    const length = at + 1 - from
    if (length >= minBytes && hash < (length <= averageBytes ? hard : easy)) return at + 1
    if (length === maxBytes) return at + 1
  }
  return undefined
}

/** Limits of the hash: one in 4·average bytes falls below `hard`, one in average/4 below `easy`. */
export function cutLimits(averageBytes: number): { readonly hard: bigint; readonly easy: bigint } {
  const bits = BigInt(Math.round(Math.log2(averageBytes)))
  return { hard: 1n << (64n - bits - 2n), easy: 1n << (64n - bits + 2n) }
}
