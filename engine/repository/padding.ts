import { asBuffer } from '../base/bytes.ts'
import type { Random } from './crypto.ts'

/** How lengths of a kind of object are hidden: all below `leastBytes` look the same, others blur by `spreadBytes` or more. */
export interface PaddingRule {
  readonly leastBytes: number
  readonly spreadBytes: number
}

/** A run that stores one small file should look like one that stores another; a pack costs 24 KiB at least. */
export const packPadding: PaddingRule = { leastBytes: 16 * 1024, spreadBytes: 16 * 1024 }

/** Index objects, manifests and records. */
export const objectPadding: PaddingRule = { leastBytes: 1024, spreadBytes: 512 }

/** The random part of large objects is this share of them. */
const spreadShare = 1 / 256
const mostSpreadBytes = 64 * 1024

/** Packs of 16 MiB and more would else take 3 % more space; what is in one of them is decided by chance besides. */
const mostStepBytes = 128 * 1024

/**
 * The length to which an object of `length` bytes is filled up: a random part first, so that nobody who knows all else about an object can
 * place it just before a step, then Padmé's steps. Costs 0.6 % of a pack of 16 MiB on average, 1.2 % at most.
 */
export function paddedLength(length: number, { leastBytes, spreadBytes }: PaddingRule, random: Random): number {
  const least = Math.max(length, leastBytes)
  const spread = Math.max(spreadBytes, Math.min(mostSpreadBytes, Math.floor(least * spreadShare)))
  return padme(least + below(spread, random))
}

/**
 * Padmé, in steps of at most 128 KiB: rounds up to a number with few significant bits, so that of a length of n bits only about log n are
 * told, at a cost of 12 % at most and 3 % from 64 KiB on. (Nikitin, Barman, Lueks, Underwood, Hubaux, Ford: "Reducing Metadata Leakage from Encrypted Files and
 * Communication with PURBs", PoPETs 2019, algorithm 1.)
 */
export function padme(length: number): number {
  if (length < 4) return length
  const exponent = Math.floor(Math.log2(length))
  const significant = Math.floor(Math.log2(exponent)) + 1
  const step = Math.min(mostStepBytes, 2 ** Math.max(0, exponent - significant))
  return Math.ceil(length / step) * step
}

/** A whole number from 0 to `limit` - 1, all as likely as each other to one in 2^32 / limit. */
export function below(limit: number, random: Random): number {
  return Math.floor((asBuffer(random(4)).readUInt32LE() / 2 ** 32) * limit)
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}
