import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Measurement {
  readonly wallSeconds: number
  /** User and system time of the command and its children. */
  readonly cpuSeconds: number
  /** Peak resident memory of the largest process. */
  readonly peakMegabytes: number
  /** Cores that other programs used meanwhile. */
  readonly othersCores: number
}

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Exit codes that are not a failure. */
  readonly accept?: readonly number[]
  /** Gets each line of standard output as it comes. */
  readonly onLine?: (line: string) => void
}

/** Runs a command under GNU time. Rejects, with its output, when it fails. */
export async function measure(command: Command): Promise<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-measure-'))
  const [report, output] = [join(folder, 'time'), join(folder, 'output')]
  const sink = openSync(output, 'w')
  try {
    const busyBefore = machineBusySeconds()
    const started = performance.now()
    const child = spawn('/usr/bin/time', ['-f', '%U %S %M', '-o', report, command.program, ...command.args], {
      env: { ...process.env, ...command.env }, stdio: ['ignore', command.onLine ? 'pipe' : sink, sink],
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    })
    if (command.onLine && child.stdout) createInterface({ input: child.stdout }).on('line', command.onLine)
    const [code] = await once(child, 'exit') as [number | null]
    const wallSeconds = (performance.now() - started) / 1000
    if (code === null || ![0, ...(command.accept ?? [])].includes(code)) {
      throw new Error(`${command.program} ${command.args.join(' ')} ended with ${code}:\n${readFileSync(output, 'utf8').slice(-2000)}`)
    }
    const [user = 0, system = 0, kilobytes = 0] = (readFileSync(report, 'utf8').trim().split('\n').at(-1) ?? '').split(' ').map(Number)
    const others = machineBusySeconds() - busyBefore - user - system
    return { wallSeconds, cpuSeconds: user + system, peakMegabytes: kilobytes / 1024, othersCores: Math.max(0, others / wallSeconds) }
  } finally {
    closeSync(sink)
    rmSync(folder, { recursive: true })
  }
}

/** Seconds of all cores that were not idle since boot (/proc/stat, in ticks of 10 ms). */
function machineBusySeconds(): number {
  const fields = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').trim().split(/\s+/).slice(1).map(Number)
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0, steal = 0] = fields
  return (user + nice + system + interrupts + softInterrupts + steal) / 100
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >>> 1
  return sorted.length % 2 === 1 ? sorted[middle] ?? NaN : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}
