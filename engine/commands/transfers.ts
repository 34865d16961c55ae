import type { BackendTraits } from '../backend/backend.ts'
import { TokenBucket, type Bandwidth } from '../backend/flow/bandwidth.ts'
import type { Direction } from '../backend/flow/concurrency.ts'
import { presentNetwork } from '../backend/flow/network.ts'
import { PatientPermits } from '../backend/flow/patient-permits.ts'
import { RememberedConcurrency } from '../backend/flow/remembered-concurrency.ts'
import { FixedPermits, Transfers } from '../backend/flow/transfers.ts'
import type { StoragePause } from '../backend/flow/storage-pause.ts'
import type { Traffic } from '../progress/traffic.ts'
import type { EngineJob } from '../protocol/job.ts'
import type { CommandContext } from './context.ts'

/** What a run may do with its storage at a time, and how fast. Disposing it remembers what was learned. */
export interface OpenTransfers extends AsyncDisposable {
  readonly transfers: Transfers
  readonly bandwidth: Bandwidth
  /** Transfers in one direction at most: what the user wants, or the storage's cap if that is lower (A2). */
  readonly concurrency: number
}

const directions: readonly Direction[] = ['up', 'down']

/** Joins what the user wants, what the account bears and shares, and what was learned of it on this network. */
export function openTransfers(
  job: Pick<EngineJob, 'home' | 'concurrency'>, { account, maxConnections, distance }: BackendTraits, traffic: Traffic, pause: StoragePause, context: CommandContext,
): OpenTransfers {
  const { clock, limits, log, pauseGate } = context
  const concurrency = Math.max(1, Math.min(job.concurrency, maxConnections))
  const remembered = new RememberedConcurrency(job.home)
  const network = distance === 'far' ? presentNetwork() : ''
  const key = (direction: Direction): string => linkKey(account, direction, network)
  const shared = context.permits?.(account, maxConnections) ?? new FixedPermits(maxConnections, clock)
  const exchange = context.pauses?.(account)
  if (exchange) pause.join(exchange)
  const patient = new PatientPermits(shared, clock, (waits) => { traffic.waitForPermit(waits, clock.now()) })
  const known = Object.fromEntries(directions.flatMap((direction) => {
    const limit = remembered.of(key(direction))
    return limit === undefined ? [] : [[direction, limit]]
  }))
  const transfers = new Transfers({ concurrency, account: patient, clock, known, pauseGate, pause })
  traffic.atOnce = (direction) => {
    const { limit, held } = transfers[direction]
    return { limit, wanted: concurrency, ...(held ? { because: held } : {}) }
  }
  const bandwidth = { up: new TokenBucket(clock), down: new TokenBucket(clock) }
  const unfollow = limits.follow(({ uploadBytesPerSecond, downloadBytesPerSecond }) => {
    bandwidth.up.setRate(uploadBytesPerSecond)
    bandwidth.down.setRate(downloadBytesPerSecond)
  })
  return {
    transfers, bandwidth, concurrency,
    [Symbol.asyncDispose]: async () => {
      unfollow()
      try {
        for (const direction of directions) {
          const { learned } = transfers[direction]
          if (learned !== undefined) await remembered.remember(key(direction), learned, clock.now())
        }
      } catch (error) {
        log.write('info', `The number of transfers at once is not remembered: ${String(error)}`)
      }
    },
  }
}

/** Under which name RememberedConcurrency keeps what was learned of an account. */
export function linkKey(account: string, direction: Direction, network: string): string {
  return `${direction} ${account} ${network}`
}
