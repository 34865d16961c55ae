import * as m from '../../main/text/compiled/messages.js'
import type { ThroughputView } from '../state/bridge.ts'
import { formatDuration, formatRate } from './format.ts'

export const throughputWords = {
  title: m.throughput_title(),
  figures: m.throughput_figures(),
  time: m.throughput_time(),
  rate: m.throughput_rate(),
  /** The picture in words. */
  sum: (rates: readonly ThroughputRate[]) => {
    const most = Math.max(...rates.map(({ bytesPerSecond }) => bytesPerSecond))
    const last = rates.at(-1)
    return m.throughput_sum({ duration: formatDuration((last?.toSeconds ?? 0) * 1000), most: formatRate(most) })
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
