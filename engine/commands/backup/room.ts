import { statfsSync } from 'node:fs'
import { toFilePath, type ByteString } from '../../base/byte-string.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import { shownBytes } from '../../protocol/shown-bytes.ts'
import type { SpaceLeft } from '../../protocol/space.ts'
import { fitOf, reserveOf } from '../../snapshot/space.ts'
import type { SurveyTotals } from '../../source/survey.ts'
import type { CommandContext } from '../context.ts'
import type { OpenStorage } from '../open.ts'

/** What is known of a storage's room is asked for again after so many bytes, and after so long. */
const askAgainBytes = 1024 ** 3
const askAgainMs = 60_000

export interface RoomOptions {
  readonly storage: Pick<OpenStorage, 'backend' | 'traffic'>
  readonly context: Pick<CommandContext, 'clock' | 'log'>
  /** Bytes of files that were found and are not stored yet. */
  readonly waitingBytes: () => number
}

/**
 * Sees to it that a backup leaves the reserve in the storage, so that a prune can still work there. A storage that does not say what it has left is
 * used until it is full.
 */
export class Room {
  readonly #options: RoomOptions
  #left: SpaceLeft | undefined
  #askedMs = -Infinity
  #sentBefore = 0

  constructor(options: RoomOptions) {
    this.#options = options
  }

  /** What the storage had left when it was asked last. */
  get left(): SpaceLeft | undefined {
    return this.#left
  }

  /** Asks the storage; whatever keeps it from answering, the backup is not kept by that. Errors: aborted. */
  async ask(signal: AbortSignal): Promise<SpaceLeft | undefined> {
    const { storage: { backend, traffic }, context: { clock, log } } = this.#options
    try {
      this.#left = await backend.space?.(signal)
    } catch (error) {
      if (hasCode(error, 'aborted')) throw error
      log.write('info', `The storage does not say what it has left: ${error instanceof Error ? error.message : String(error)}`)
      this.#left = undefined
    }
    this.#askedMs = clock.monotonic()
    this.#sentBefore = traffic.uploadedBytes
    return this.#left
  }

  /** Before anything is sent. Errors: `full` where not even the reserve is left. */
  async require(signal: AbortSignal): Promise<void> {
    const left = await this.ask(signal)
    if (left && left.freeBytes < reserveOf(left)) throw this.#full(left, 0)
  }

  /**
   * Before anything is sent to a repository that holds nothing yet: what the sources hold is counted, unless what their disks hold would fit anyway.
   * Errors: `full` where it is certain that it does not fit. That it may not fit is a warning.
   */
  async requireAll(sources: readonly ByteString[], count: () => Promise<SurveyTotals | undefined>): Promise<void> {
    const left = this.#left
    if (!left || usedOn(sources) <= left.freeBytes - reserveOf(left)) return
    const totals = await count()
    const fit = totals && fitOf({ dense: totals.denseBytes, other: totals.otherBytes }, left)
    if (fit?.type === 'impossible') throw notEnough(this.#options.storage.backend.label, fit.short, left)
    if (fit?.type === 'unlikely') {
      const { backend: { label } } = this.#options.storage
      this.#options.context.log.write('warning', `It may not fit: ${label} has ${shownBytes(left.freeBytes)} left, and needs about ${shownBytes(fit.short)} more for all of the sources. The backup goes as far as it can.`)
    }
  }

  /** Before a pack is sent. Errors: `full` where it would take what is to stay free. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    if (!this.#left) return
    const { storage: { backend: { traits } } } = this.#options
    // A pack that is staged on the storage's own disk takes its room already.
    const needs = traits.stagingFolder === undefined ? bytes : 0
    if (!this.#isStale(needs, this.#left)) return
    const left = await this.ask(signal)
    if (left && left.freeBytes - needs < reserveOf(left)) throw this.#full(left, needs)
  }

  #isStale(needs: number, left: SpaceLeft): boolean {
    const { storage: { backend: { traits }, traffic }, context: { clock } } = this.#options
    if (traits.distance === 'near') return true
    const sent = traffic.uploadedBytes - this.#sentBefore
    const isTight = left.freeBytes - sent - needs < reserveOf(left)
    return isTight || sent >= askAgainBytes || clock.monotonic() - this.#askedMs >= askAgainMs
  }

  #full(left: SpaceLeft, needs: number): HoldfastError {
    const { storage: { backend }, waitingBytes } = this.#options
    return notEnough(backend.label, Math.max(needs, waitingBytes()) + reserveOf(left) - left.freeBytes, left)
  }
}

/** @param missing bytes that lack, as far as is known */
function notEnough(label: string, missing: number, left: SpaceLeft): HoldfastError {
  const missingBytes = Math.max(1, missing)
  return new HoldfastError('full', `${label} needs about ${shownBytes(missingBytes)} more: it has ${shownBytes(left.freeBytes)} left, and ${shownBytes(reserveOf(left))} of it stay free, so that a prune can still work.`, {
    data: { place: 'destination', missingBytes, freeBytes: left.freeBytes },
  })
}

/** What the disks of the sources hold in all: no more can be in the sources. */
function usedOn(sources: readonly ByteString[]): number {
  const disks = new Map<string, number>()
  for (const source of sources) {
    try {
      const { blocks, bfree, bsize, type, files } = statfsSync(toFilePath(source))
      disks.set(`${type} ${blocks} ${files} ${bfree}`, (blocks - bfree) * bsize)
    } catch {
      return Infinity
    }
  }
  return [...disks.values()].reduce((sum, bytes) => sum + bytes, 0)
}
