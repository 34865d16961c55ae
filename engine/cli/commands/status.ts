import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { diskError } from '../../base/disk-error.ts'
import { errnoOf } from '../../base/errno.ts'
import { HoldfastError } from '../../base/errors.ts'
import { attentionOf, parseAppStatus, presenceOf, statusFile, type AppStatus } from '../../protocol/app-status.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Ending, PlainInvocation } from '../execute.ts'
import type { ProgramBuilder } from '../program.ts'
import type { PlainOptions } from '../settings.ts'
import { prometheusText } from '../prometheus-text.ts'
import { appLine, attentionLines, jobLines } from '../status-text.ts'

interface StatusOptions extends PlainOptions {
  readonly prometheus?: true
}

/** `status`: how the app's jobs are, for scripts and monitoring. */
export function addStatus(program: Command, builder: ProgramBuilder): void {
  const command = builder
    .plainCommand('status', "show how the app's jobs are: last and next backup, what is late, what needs attention", ['status', 'status --json', 'status --prometheus > holdfast.prom'])
    .addOption(new Option('--prometheus', "metrics in Prometheus' text format; the exit code says only whether they could be told").conflicts('json'))
  command.addHelpText('after', `
Asks no storage and needs no password: it reads what the app has written to its folder (HOLDFAST_HOME/${statusFile}), also while the app is not running,
and says how old that is.
Exit codes: 0 all is well · 2 something needs attention · 100 the app has left nothing to read`)
  command.action(async (options: StatusOptions) => {
    await builder.runPlain(options, (invocation) => tell(invocation, options))
  })
  program.addCommand(command)
}

async function tell({ output, home, clock }: PlainInvocation, { prometheus }: StatusOptions): Promise<Ending> {
  const status = await readStatus(join(home, statusFile))
  const nowMs = clock.now()
  const presence = presenceOf(status, isAlive, nowMs)
  const attention = attentionOf(status, presence, nowMs)
  const ending = { exitCode: attention.length > 0 ? exitCodes.warnings : exitCodes.success, json: {}, text: [] }
  if (prometheus) return { ...ending, exitCode: exitCodes.success, text: prometheusText(status, presence, attention, nowMs) }
  const head = appLine(status, presence, nowMs)
  const [first, ...others] = status.jobs.map((job) => ({ job, lines: jobLines(job, nowMs) }))
  if (first) output.record({ type: 'job', ...first.job, attention: reasonsOf(first.job.name) }, head, ...first.lines)
  for (const { job, lines } of others) output.record({ type: 'job', ...job, attention: reasonsOf(job.name) }, ...lines)
  const { app, writtenMs, pausedAll, pausedUntilMs, othersLate } = status
  return {
    ...ending,
    json: {
      operation: 'status', outcome: attention.length > 0 ? 'warnings' : 'success', version: status.version, app, presence, writtenMs, pausedAll,
      ...(pausedUntilMs === undefined ? {} : { pausedUntilMs }), othersLate, attention,
    },
    text: [...(first ? [] : [head, 'There are no jobs.']), ...attentionLines(attention)],
  }

  function reasonsOf(name: string): readonly string[] {
    return attention.flatMap(({ job, reason }) => (job === name ? [reason] : []))
  }
}

/** Errors: not-found (the app has never written one), version, damaged, and those of the disk. */
async function readStatus(path: string): Promise<AppStatus> {
  const read = parseAppStatus(await textOf(path))
  if (read === 'later') throw new HoldfastError('version', `${path} was written by a later version of Holdfast.`)
  if (read === 'damaged') throw new HoldfastError('damaged', `${path} is not what the app writes.`, { data: { advice: 'Start the app: it writes the file anew.' } })
  return read
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw new HoldfastError('not-found', `There is no ${path}: the app has not run here yet.`, { data: { advice: 'Start the app once, run this as the same user, and set HOLDFAST_HOME to the same folder where it is set for the app.' } })
    throw diskError(error, path)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) === 'EPERM'
  }
}
