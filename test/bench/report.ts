import type { Measurement } from './measure.ts'
import { median } from './measure.ts'

/** One measured step of one tool in one round. */
export interface Sample extends Measurement {
  readonly corpus: string
  readonly step: string
  readonly tool: string
  /** Size of the repository after the step. */
  readonly storedMegabytes: number
}

/** A run counts for wall time when other programs used less than this share of a core. */
const quietCores = 0.3

/** A table in Markdown: medians of each step and tool, and the peers' values over ours. */
export function report(samples: readonly Sample[], ours: string): string {
  const lines = ['| corpus | step | tool | wall s (quiet runs) | CPU s | peak MB | stored MB | wall ÷ ours | CPU ÷ ours | stored ÷ ours |', '|---|---|---|---|---|---|---|---|---|---|']
  for (const [key, group] of grouped(samples, (sample) => `${sample.corpus}|${sample.step}`)) {
    const own = summary(group.filter((sample) => sample.tool === ours))
    for (const [tool, runs] of grouped(group, (sample) => sample.tool)) {
      const found = summary(runs)
      const ratios = [found.wall / own.wall, found.cpu / own.cpu, found.stored / own.stored].map((ratio) => ratio.toFixed(2))
      const [corpus, step] = key.split('|')
      lines.push(`| ${corpus} | ${step} | ${tool} | ${found.wall.toFixed(2)} (${found.quiet}/${runs.length}) | ${found.cpu.toFixed(2)} | ${found.peak.toFixed(0)} | ${found.stored.toFixed(0)} | ${ratios.join(' | ')} |`)
    }
  }
  return lines.join('\n')
}

function summary(samples: readonly Sample[]): { wall: number; cpu: number; peak: number; stored: number; quiet: number } {
  const quiet = samples.filter((sample) => sample.othersCores < quietCores)
  return {
    wall: median((quiet.length > 0 ? quiet : samples).map((sample) => sample.wallSeconds)),
    cpu: median(samples.map((sample) => sample.cpuSeconds)),
    peak: Math.max(...samples.map((sample) => sample.peakMegabytes)),
    stored: median(samples.map((sample) => sample.storedMegabytes)),
    quiet: quiet.length,
  }
}

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item])
  return groups
}
