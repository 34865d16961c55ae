import { systemClock, type Clock } from '../base/clock.ts'
import { toWireError } from '../base/errors.ts'
import { createLog } from '../base/log.ts'
import { PauseGate } from '../base/pause.ts'
import { prepareHome } from '../base/private-folder.ts'
import { StopControl } from '../base/stop.ts'
import { LimitControl } from '../commands/context.ts'
import type { CommandContext } from '../commands/context.ts'
import { RunFailed } from '../commands/failure.ts'
import type { EngineJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { takeAccountEnvironment } from './accounts/environment.ts'
import { LazyAccounts } from './accounts/lazy.ts'
import { exitCodeOfError, exitCodeOfSummary } from './exit-codes.ts'
import { JsonOutput } from './json-output.ts'
import type { Output, StandardOutput } from './output.ts'
import { readSecrets, type FromOptions } from './secrets.ts'
import { homeOf, limitsOf, settingsOf } from './settings.ts'
import type { CommonOptions, Settings } from './settings.ts'
import { stopOnSignals } from './signals.ts'
import { summaryText } from './summary-text.ts'
import { TerminalOutput } from './terminal-output.ts'
import { adviceFor } from './words.ts'

/** What a command of the command line works with. */
export interface Invocation {
  readonly output: Output
  readonly settings: Settings
  readonly context: CommandContext
}

/** How a command ended well. */
export interface Ending {
  readonly exitCode: number
  readonly json: Readonly<Record<string, unknown>>
  readonly text: readonly string[]
}

export function createOutput(options: Pick<CommonOptions, 'json' | 'verbose'>, out: StandardOutput): Output {
  return options.json ? new JsonOutput(out, options.verbose ?? false) : new TerminalOutput(out, options.verbose ?? false)
}

/** What a command works with that is about no repository. */
export interface PlainInvocation {
  readonly output: Output
  readonly home: string
  /** App keys of the user's own. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** As `execute`, for a command that is about no repository and asks for no password. */
export async function executePlain(output: Output, action: (invocation: PlainInvocation) => Promise<Ending>): Promise<number> {
  const stop = new StopControl()
  try {
    const log = createLog((line) => { output.log(line) }, () => systemClock.now())
    const home = await homeOf(process.env)
    prepareHome(home, (words) => { log.write('warning', words) })
    using _signals = stopOnSignals(stop, (text) => { log.write('warning', text) })
    const ending = await action({ output, home, environment: takeAccountEnvironment(process.env), clock: systemClock, signal: stop.signal })
    output.summary(ending.json, ending.text)
    return ending.exitCode
  } catch (error) {
    return reportError(error, output)
  }
}

/** What a command's password is. */
export interface Asking {
  /** One for a repository that is to be made: it is asked for twice. */
  readonly newRepository?: boolean
  /** Recovery words are asked for, and nothing else. */
  readonly asksForWords?: boolean
  /** Another repository that is read: its secrets are asked for too. */
  readonly source?: FromOptions
}

/** Runs one command from options to its last word. Resolves with the exit code; never rejects. */
export async function execute(
  options: CommonOptions & Asking,
  output: Output,
  action: (invocation: Invocation) => Promise<Ending>,
): Promise<number> {
  const stop = new StopControl()
  try {
    const log = createLog((line) => { output.log(line) }, () => systemClock.now())
    const settings = await settingsOf(options, process.env)
    const warn = (words: string): void => { log.write('warning', words) }
    const secrets = await readSecrets({
      repository: settings.repository, passwordFile: options.passwordFile, recoveryKeyFile: options.recoveryKeyFile, from: options.source,
      confirm: options.newRepository ?? false, asksForWords: options.asksForWords ?? false, warn,
    })
    await using accounts = new LazyAccounts(settings.home, takeAccountEnvironment(process.env), systemClock)
    using _signals = stopOnSignals(stop, (text) => { log.write('warning', text) })
    const ending = await action({
      output,
      settings,
      context: {
        secrets,
        signal: stop.signal,
        cancelSignal: stop.cancelSignal,
        clock: systemClock,
        log,
        events: output,
        limits: new LimitControl(limitsOf(options)),
        pauseGate: new PauseGate(),
        accounts,
      },
    })
    output.summary(ending.json, ending.text)
    return ending.exitCode
  } catch (error) {
    return reportError(error, output)
  }
}

/** Prints the last word of a failure; the result is the exit code. */
export function reportError(error: unknown, output: Output): number {
  const wire = toWireError(error)
  const summary = error instanceof RunFailed ? error.summary : undefined
  output.error(wire, adviceFor(wire), summary === undefined ? undefined : { ...summary })
  return exitCodeOfError(wire.code, summary)
}

/** A job's run as an ending. */
export async function runToEnding(job: EngineJob, context: CommandContext, details: (summary: RunSummary) => readonly string[] = () => []): Promise<Ending> {
  const { runJob } = await import('../commands/run.ts')
  const summary = await runJob(job, context)
  return { exitCode: exitCodeOfSummary(summary), json: { ...summary }, text: [...summaryText(summary), ...details(summary)] }
}
