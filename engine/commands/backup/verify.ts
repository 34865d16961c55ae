import { fromText } from '../../base/byte-string.ts'
import { hasCode } from '../../base/errors.ts'
import type { ByteRange, Distance } from '../../backend/backend.ts'
import { BackendWrapper } from '../../backend/wrappers/wrapper.ts'
import type { KnownPack } from '../../catalog/pack-table.ts'
import type { Tally } from '../../pipeline/tally.ts'
import { fetchOpened } from '../../repository/fetch.ts'
import { packObject } from '../../repository/names.ts'
import { readPackContents } from '../../repository/pack-reader.ts'
import { planRanges } from '../../repository/ranges.ts'
import type { CommandContext } from '../context.ts'
import type { Machine } from './machine.ts'
import type { OpenBackup } from './open-backup.ts'
import { afterUploads, verificationBudget } from './verification-budget.ts'

/** Bytes of a pack that are read at a time, and how many such reads at once: bounds the memory. From afar each costs a round trip. */
const reading: Readonly<Record<Distance, { readonly rangeBytes: number; readonly atOnce: number }>> = {
  near: { rangeBytes: 1024 * 1024, atOnce: 2 },
  far: { rangeBytes: 2 * 1024 * 1024, atOnce: 4 },
}

/** Less than this is not worth a request, unless the pack itself is smaller. */
const worthwhileBytes = 64 * 1024

/** How often it is looked whether more was sent, so that more may be read back. */
const lookMs = 250

export interface VerifyParts {
  readonly opened: OpenBackup
  readonly context: CommandContext
  readonly machine: Machine
  readonly tally: Tally
}

/**
 * Sample verification (A10): reads back the packs that were not verified for the longest time, each blob against its id, so that in the course of
 * the runs every pack has its turn. It costs what verificationBudget allows; a pack that does not fit is gone on with by the next run. A damaged
 * pack is a warning of the run, which itself is complete. From afar it goes on beside the uploads, so that a run does not end with it.
 */
export class SampleVerification {
  readonly #parts: VerifyParts
  readonly #backend: CountingBackend
  readonly #startedMs: number
  /** What the day's other runs have read back. */
  readonly #todayBytes: number | undefined
  /** Looked at by this run, and not to be looked at again. */
  readonly #done = new Set<string>()
  readonly #uploading = new AbortController()
  readonly #damaged: { readonly pack: string; readonly message: string }[] = []
  #spentBytes = 0
  #beside: Promise<void> | undefined

  constructor(parts: VerifyParts) {
    this.#parts = parts
    this.#backend = new CountingBackend(parts.opened.repository.backend)
    this.#startedMs = parts.context.clock.now()
    this.#todayBytes = parts.opened.catalog.verification.todayBytes(this.#startedMs)
  }

  /** Begins beside the uploads, where that is worth it. The catalog must know what is usable. Repeating does nothing. */
  begin(): void {
    if (this.#backend.traits.distance === 'near') return
    this.#beside ??= this.#besideUploads()
    // It may fail before it is waited for.
    this.#beside.catch(() => undefined)
  }

  /** The run has failed: ends what goes on. Never rejects. */
  async stop(): Promise<void> {
    this.#uploading.abort()
    await this.#beside?.catch(() => undefined)
  }

  /**
   * Everything is uploaded: reads what is left to read. Resolves to the bytes that the run has read back. Errors: those of the storage.
   * @param mayBeGone the run has not listed what there is: a pack that is gone may as well have been pruned, and is passed over. A check tells what is missing.
   */
  async finish(mayBeGone: boolean): Promise<number> {
    this.#uploading.abort()
    await this.#beside
    const { distance } = this.#backend.traits
    const mostBytes = this.#beside ? this.#backend.readBytes + afterUploads(this.#sentBytes) : Infinity
    const left = (): number => Math.min(this.#budget(distance), mostBytes) - this.#backend.readBytes
    while (await this.#next(left, mayBeGone)) this.#spend()
    this.#spend()
    // Not before: a pass that is done anew forgets the problems of the one before.
    for (const { pack, message } of this.#damaged) {
      this.#parts.tally.problem('damaged', fromText(packObject(pack)), `A pack that was read back is damaged: ${message} Run a check.`)
    }
    return this.#backend.readBytes
  }

  get #sentBytes(): number {
    return this.#parts.opened.storage.traffic.uploadedBytes
  }

  #budget(distance: Distance): number {
    return verificationBudget({ distance, sentBytes: this.#sentBytes, todayBytes: this.#todayBytes })
  }

  async #besideUploads(): Promise<void> {
    const { context: { clock, pauseGate }, machine: { signal } } = this.#parts
    const { distance } = this.#backend.traits
    const left = (): number => (this.#uploading.signal.aborted ? 0 : this.#budget(distance) - this.#backend.readBytes)
    while (!this.#uploading.signal.aborted) {
      await pauseGate.pass(signal)
      if (await this.#next(left, false)) this.#spend()
      else await clock.sleep(lookMs, AbortSignal.any([signal, this.#uploading.signal])).catch(() => undefined)
    }
  }

  /** @returns whether it was worth it: false when nothing is left to read, or to read it with. */
  async #next(left: () => number, mayBeGone: boolean): Promise<boolean> {
    const { catalog } = this.#parts.opened
    const pack = this.#oldest()
    if (!pack || left() < Math.min(pack.size, worthwhileBytes)) return false
    try {
      if (!(await this.#verify(pack, left))) return false
      catalog.packs.setVerified(pack.name, this.#startedMs)
    } catch (error) {
      if (!hasCode(error, 'damaged', 'not-found')) throw error
      this.#done.add(pack.name)
      if (mayBeGone && error.code === 'not-found') return true
      this.#damaged.push({ pack: pack.name, message: error.message })
    }
    return true
  }

  #oldest(): KnownPack | undefined {
    for (const pack of this.#parts.opened.catalog.packs.leastRecentlyVerified(this.#startedMs)) if (!this.#done.has(pack.name)) return pack
    return undefined
  }

  /** Several ranges are on their way or being opened, in their order. False where the rest of the pack does not fit into what is left. */
  async #verify(pack: KnownPack, left: () => number): Promise<boolean> {
    const { opened: { repository: { keys }, catalog: { verification } }, context, machine } = this.#parts
    const { rangeBytes, atOnce } = reading[this.#backend.traits.distance]
    const contents = await readPackContents(this.#backend, keys, pack, context.signal)
    const reached = verification.reached(pack.name)
    const opening: { readonly done: Promise<unknown>; readonly length: number }[] = []
    let underWay = 0
    const settle = async (): Promise<void> => {
      const first = opening.shift()
      underWay -= first?.length ?? 0
      await first?.done
    }
    for (const { offset, length, segments } of planRanges(contents.segments.filter((segment) => segment.offset >= reached), rangeBytes)) {
      if (opening.length === atOnce) await settle()
      if (length > left() - underWay) {
        while (opening.length > 0) await settle()
        if (length > left()) {
          verification.setReached(pack.name, offset)
          return false
        }
      }
      const done = fetchOpened(
        () => this.#backend.get(packObject(pack.name), { offset, length }, context.signal),
        (bytes) => machine.pool.run({ type: 'verify', pack: { name: pack.name, kind: contents.kind }, segments, bytes }),
      )
      // It may fail while others are on their way: that is seen when it is waited for.
      done.catch(() => undefined)
      opening.push({ done, length })
      underWay += length
    }
    while (opening.length > 0) await settle()
    verification.setReached(pack.name, undefined)
    return true
  }

  #spend(): void {
    const newBytes = this.#backend.readBytes - this.#spentBytes
    this.#spentBytes = this.#backend.readBytes
    if (newBytes > 0) this.#parts.opened.catalog.verification.spend(newBytes, this.#startedMs)
  }
}

/** Knows what was read through it. */
class CountingBackend extends BackendWrapper {
  readBytes = 0

  override async get(name: string, range: ByteRange | 'all', signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.inner.get(name, range, signal)
    this.readBytes += bytes.length
    return bytes
  }
}
