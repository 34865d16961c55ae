import type { ThroughputView } from '../state/bridge.ts'
import { formatDuration, formatRate } from './format.ts'

export const throughputWords = {
  title: 'Speed',
  figures: 'Figures',
  time: 'Time',
  rate: 'Speed',
  /** The picture in words. */
  sum: (rates: readonly ThroughputRate[]) => {
    const most = Math.max(...rates.map(({ bytesPerSecond }) => bytesPerSecond))
    const last = rates.at(-1)
    return `Speed over ${formatDuration((last?.toSeconds ?? 0) * 1000)}: ${formatRate(most)} at most`
  },
  span: ({ fromSeconds, toSeconds }: ThroughputRate) => `${formatDuration(fromSeconds * 1000)} – ${formatDuration(toSeconds * 1000)}`,
} as const

export interface ThroughputRate {
  /** Since the run began. */
  readonly fromSeconds: number
  readonly toSeconds: number
  readonly bytesPerSecond: number
}

/** @param goesOn the last span is not over: it would seem slower than it is */
export function ratesOf({ everyMs, bytes }: ThroughputView, goesOn: boolean): readonly ThroughputRate[] {
  const every = everyMs / 1000
  const whole = goesOn ? bytes.slice(0, -1) : bytes
  return whole.map((count, at) => ({ fromSeconds: at * every, toSeconds: (at + 1) * every, bytesPerSecond: count / every }))
}
