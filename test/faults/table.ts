import { asHoldfastError, isRetryable } from '../../engine/base/errors.ts'
import { HoldfastError } from '../../engine/base/errors.ts'
import { exitCodeOfError, exitCodeOfSummary } from '../../engine/cli/exit-codes.ts'
import { RunFailed } from '../../engine/commands/failure.ts'
import type { EngineJob } from '../../engine/protocol/job.ts'
import { systemClock } from '../../engine/base/clock.ts'
import { never, type Template, type TemplateCopy } from './template.ts'

type Command = EngineJob['type']

/** One operation of a command on one kind of object, as `get packs/`. */
export interface Row {
  readonly operation: string
  readonly prefix: string
}

/** How a run ended: `success`, `warnings`, … or an error's code, with the exit code that the command line gives. */
interface Ending {
  readonly word: string
  readonly exitCode: number
  readonly message: string
}

/** What is planned for one operation, and how the run may end. */
interface Plan {
  readonly kind: string
  readonly rules: (row: Row) => readonly string[]
  readonly endings: readonly string[]
  /** Operations that it means something for. */
  readonly operations?: readonly string[]
  /** The run is stopped while it hangs. */
  readonly stop?: boolean
  /** In every fourth row only: n of 0–3. */
  readonly turn?: number
  /** Each rule must have happened; else one is enough. */
  readonly each?: boolean
}

/** How a command ends well. */
export const good = ['success', 'unchanged', 'warnings']
/** `after` comes last: where the object is not there, its answer is the operation's last. The delay comes with the first. */
const transient = ['before', 'during', 'throttled', 'unavailable', 'after'] as const

/** One after the other on the same operation: each is survived by trying again. */
function healing({ operation, prefix }: Row): string[] {
  const kinds = transient.filter((kind) => kind !== 'during' || ['put', 'get', 'list'].includes(operation))
  return [`${operation},delay,prefix=${prefix},times=1,ms=500`, ...kinds.map((kind, skip) => {
    const common = `prefix=${prefix},times=1,skip=${skip}`
    switch (kind) {
      case 'throttled': return `${operation},before,${common},code=throttled,retryAfterMs=700`
      case 'unavailable': return `${operation},before,${common},code=unavailable`
      default: return `${operation},${kind},${common},code=offline`
    }
  })]
}

/** Codes that do not pass; their turn comes row by row, since they take the same way. */
const lasting = ['offline', 'unavailable', 'throttled', 'denied'] as const

const always = (code: string, kind = 'before') => ({ operation, prefix }: Row): string[] => [`${operation},${kind},prefix=${prefix},code=${code}`]

/** Failures first, so that what heals comes to a repository that has seen them all. */
const plans: readonly Plan[] = [
  ...lasting.map((code, turn): Plan => ({ kind: code, rules: always(code), endings: [code], turn })),
  { kind: 'lost replies', rules: always('offline', 'after'), endings: ['offline', ...good] },
  { kind: 'full', rules: always('full'), endings: ['full'], operations: ['put'] },
  { kind: 'hang', rules: ({ operation, prefix }) => [`${operation},hang,prefix=${prefix},times=1`], endings: ['aborted'], stop: true },
  { kind: 'truncate', rules: ({ operation, prefix }) => [`${operation},truncate,prefix=${prefix},times=1`], endings: ['damaged', ...good], operations: ['get'] },
  { kind: 'flip', rules: ({ operation, prefix }) => [`${operation},flip,prefix=${prefix},times=1`], endings: ['damaged', 'version', 'password', ...good], operations: ['get'] },
  { kind: 'late', rules: ({ prefix }) => [`list,late,prefix=${prefix},ms=100000000`], endings: good, operations: ['list'] },
  { kind: 'transient', rules: healing, endings: good, each: true },
]

/** Rows of a command: every operation it uses on every kind of object, seen in a run without faults. */
async function rowsOf(template: Template, command: Command): Promise<Row[]> {
  await using copy = await template.copy()
  copy.change()
  await copy.run(copy.job(command, copy.faulty('any,delay,ms=0')))
  const rows = new Map<string, Row>()
  for (const line of copy.happened()) {
    const [, operation = '', name = ''] = line.split(' ')
    const prefix = name.includes('/') ? `${name.split('/', 1).join('')}/` : name
    rows.set(`${operation} ${prefix}`, { operation, prefix })
  }
  return [...rows.values()]
}

/** Runs a command; stopped as soon as it hangs. */
async function end(copy: TemplateCopy, job: EngineJob, stop: boolean): Promise<Ending> {
  const control = new AbortController()
  const watching = new AbortController()
  const watch = stop ? stopWhenHanging(copy, control, watching.signal) : undefined
  try {
    const summary = await copy.run(job, control.signal)
    return { word: summary.outcome, exitCode: exitCodeOfSummary(summary), message: '' }
  } catch (error) {
    if (!(error instanceof HoldfastError)) return { word: `raw ${String(error)}`, exitCode: 0, message: error instanceof Error ? error.stack ?? '' : '' }
    const known = asHoldfastError(error)
    return { word: known.code, exitCode: exitCodeOfError(known.code, error instanceof RunFailed ? error.summary : undefined), message: `${known.message} ${isRetryable(known)}` }
  } finally {
    watching.abort()
    await watch
  }
}

async function stopWhenHanging(copy: TemplateCopy, control: AbortController, signal: AbortSignal): Promise<void> {
  while (copy.happened().length === 0 && !signal.aborted) await systemClock.sleep(5, never)
  control.abort(new HoldfastError('aborted', 'The run was stopped.'))
}

const exitCodes: Readonly<Record<string, readonly number[]>> = { success: [0], unchanged: [1], warnings: [2], failed: [100] }

export interface TableResult {
  readonly rows: number
  readonly faults: ReadonlyMap<string, number>
  readonly wrong: readonly string[]
}

export interface TableOptions {
  /** The command reads only: the repository must stay as it is, and one proof at the end of each row is enough. */
  readonly readsOnly: boolean
  /** `kind operation prefix` → other endings, where a command can do without what failed. */
  readonly others: Readonly<Record<string, readonly string[]>>
}

/** What opens a repository is one piece of code: all kinds of faults meet it in the tables of backup and check. */
const opening = ['stat config', 'get config', 'list keys/', 'get keys/']

/** Every operation of a command × every kind of fault; what was wrong, in words. */
export async function runTable(template: Template, command: Command, options: TableOptions): Promise<TableResult> {
  const faults = new Map<string, number>()
  const wrong: string[] = []
  const rows = await rowsOf(template, command)
  for (const [number, row] of rows.entries()) {
    let copy = await template.copy()
    const before = await copy.objects()
    const brief = !['backup', 'check'].includes(command) && opening.includes(`${row.operation} ${row.prefix}`)
    for (const plan of brief ? plans.slice(-1) : plans) {
      if (plan.turn !== undefined && plan.turn !== number % lasting.length) continue
      if (plan.operations && !plan.operations.includes(row.operation)) continue
      if (isUsedUp(command, row)) {
        await copy[Symbol.asyncDispose]()
        copy = await template.copy()
      }
      const what = `${plan.kind} ${row.operation} ${row.prefix}`
      const problem = await runCase(copy, command, row, plan, options.others[what] ?? plan.endings, faults)
      if (problem !== undefined) wrong.push(`${command}: ${what}: ${problem}`)
      if (command === 'forget' || command === 'prune') wrong.push(...(await checked(copy)).map((text) => `${command}: ${what}: ${text}`))
    }
    if (options.readsOnly && JSON.stringify(await copy.objects()) !== JSON.stringify(before)) wrong.push(`${command}: ${row.operation} ${row.prefix}: the repository was changed`)
    wrong.push(...(await copy.prove()).map((text) => `${command}: after ${row.operation} ${row.prefix}: ${text}`))
    await copy[Symbol.asyncDispose]()
  }
  return { rows: rows.length, faults, wrong }
}

/** Once it was seen to bear the repository, a storage is not probed again for a week; what was forgotten or pruned is gone. */
function isUsedUp(command: Command, { prefix }: Row): boolean {
  return command === 'forget' || command === 'prune' || prefix === 'probe/'
}

async function checked(copy: TemplateCopy): Promise<string[]> {
  const check = await copy.run(copy.job('check'))
  return check.outcome === 'success' ? [] : [`check found ${JSON.stringify(check.details)}`]
}

async function runCase(copy: TemplateCopy, command: Command, row: Row, plan: Plan, endings: readonly string[], faults: Map<string, number>): Promise<string | undefined> {
  copy.change()
  copy.clearReport()
  const rules = plan.rules(row)
  const job = { ...copy.job(command, copy.faulty(...rules)), patienceMs: plan.each ? 100_000 : 2000 }
  const ending = await end(copy, job, plan.stop ?? false)
  const happened = copy.happened()
  for (const line of happened) faults.set(line.split(' ', 1).join(''), (faults.get(line.split(' ', 1).join('')) ?? 0) + 1)
  if (happened.length < (plan.each ? rules.length : 1)) return `only ${happened.length} of ${rules.length} planned faults happened, and it ended with ${ending.word}`
  if (!endings.includes(ending.word)) return `ended with ${ending.word} (${ending.message})`
  if (!(exitCodes[ending.word] ?? [50, 100]).includes(ending.exitCode)) return `${ending.word} gave exit code ${ending.exitCode}`
  return undefined
}
