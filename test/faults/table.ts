import { asHoldfastError, HoldfastError, isRetryable } from '../../engine/base/errors.ts'
import { systemClock } from '../../engine/base/clock.ts'
import { exitCodeOfError, exitCodeOfSummary, exitCodes } from '../../engine/cli/exit-codes.ts'
import { RunFailed } from '../../engine/commands/failure.ts'
import type { RunSummary } from '../../engine/protocol/progress.ts'
import { faultKind, plans, type Plan, type Row } from './plans.ts'
import { never, type TemplateCopy } from './template.ts'

/** How a run ended: `success`, `warnings`, … or an error's code, with the exit code that the command line gives. */
export interface Ending {
  readonly word: string
  readonly exitCode: number
  readonly message: string
}

/** A command as a table sees it. */
export interface Subject {
  readonly name: string
  /** A repository and a machine for it to work on. */
  readonly prepare: () => Promise<TemplateCopy>
  /** Runs it once; without a summary it ended well. */
  readonly run: (copy: TemplateCopy, url: string, patienceMs: number, signal: AbortSignal) => Promise<RunSummary | undefined>
  /** It cannot be done twice in one repository: every case gets one of its own. */
  readonly usesUp: boolean | ((row: Row) => boolean)
  /** The repository must stay as it is, but for probes. */
  readonly readsOnly: boolean
  /** What is wrong after a case; the next run sees it too. */
  readonly checked?: (copy: TemplateCopy, ending: Ending) => Promise<readonly string[]>
  /** What is wrong after a storage kept something else than it was given. */
  readonly found?: (copy: TemplateCopy, row: Row) => Promise<readonly string[]>
  /** What is wrong after all cases of a row. */
  readonly prove: (copy: TemplateCopy) => Promise<readonly string[]>
  /** `kind operation prefix` → other endings, where a command can do without what failed. */
  readonly others?: Readonly<Record<string, readonly string[]>>
}

export interface TableResult {
  readonly rows: number
  readonly wrong: readonly string[]
}

/** Every operation of a command × every kind of fault; what was wrong, in words. Prints how many faults of each kind happened. */
export async function runTable(subject: Subject): Promise<TableResult> {
  const table = new Table(subject)
  const rows = await table.rows()
  for (const row of rows) await table.row(row)
  console.log(table.counts(rows.length))
  return { rows: rows.length, wrong: table.wrong }
}

class Table {
  readonly wrong: string[] = []
  readonly #subject: Subject
  readonly #faults = new Map<string, number>()
  #runs = 0

  constructor(subject: Subject) {
    this.#subject = subject
  }

  /** Every operation it uses on every kind of object, seen in a run without faults. */
  async rows(): Promise<Row[]> {
    await using copy = await this.#subject.prepare()
    copy.change()
    await this.#subject.run(copy, copy.faulty('any,delay,ms=0'), 2000, never)
    const rows = new Map<string, Row>()
    for (const { operation, name } of copy.happened()) {
      const prefix = name.includes('/') ? `${name.split('/', 1).join('')}/` : name
      rows.set(`${operation} ${prefix}`, { operation, prefix })
    }
    return [...rows.values()]
  }

  async row(row: Row): Promise<void> {
    const { prepare, usesUp, readsOnly, prove } = this.#subject
    const apart = isKept(row) || (typeof usesUp === 'boolean' ? usesUp : usesUp(row))
    let copy = await prepare()
    const before = await lasting(copy)
    for (const plan of plans.filter(({ operations = [row.operation], lies }) => operations.includes(row.operation) && !lies)) {
      if (apart) {
        await copy[Symbol.asyncDispose]()
        copy = await prepare()
      }
      await this.#case(copy, row, plan)
    }
    if (readsOnly && JSON.stringify(await lasting(copy)) !== JSON.stringify(before)) this.#tell(`after ${row.operation} ${row.prefix}`, 'the repository was changed')
    for (const text of await prove(copy)) this.#tell(`after ${row.operation} ${row.prefix}`, text)
    await copy[Symbol.asyncDispose]()
    for (const plan of plans.filter(({ operations = [], lies }) => operations.includes(row.operation) && lies)) {
      await using lied = await prepare()
      await this.#case(lied, row, plan)
    }
  }

  counts(rows: number): string {
    const faults = [...this.#faults].toSorted().map(([kind, count]) => `${kind} ${count}`)
    const total = [...this.#faults.values()].reduce((sum, count) => sum + count, 0)
    return `${this.#subject.name}: ${rows} rows, ${this.#runs} runs, ${total} faults (${faults.join(', ')})`
  }

  async #case(copy: TemplateCopy, row: Row, plan: Plan): Promise<void> {
    const { others = {}, checked, found } = this.#subject
    const what = `${plan.kind} ${row.operation} ${row.prefix}`
    copy.change()
    copy.clearReport()
    const rules = plan.rules(row)
    const ending = await this.#end(copy, copy.faulty(...rules), plan)
    const happened = copy.happened()
    for (const { rule } of happened) this.#count(faultKind(rules[rule] ?? ''))
    const spent = new Set(happened.map(({ rule }) => rule)).size
    if (spent < (plan.each ? rules.length : 1)) this.#tell(what, `only ${spent} of ${rules.length} planned faults happened, and it ended with ${ending.word}`)
    if (!(others[what] ?? plan.endings).includes(ending.word)) this.#tell(what, `ended with ${ending.word} (${ending.message})`)
    if (!(codesOf[ending.word] ?? [exitCodes.partial, exitCodes.error]).includes(ending.exitCode)) this.#tell(what, `${ending.word} gave exit code ${ending.exitCode}`)
    for (const text of await (plan.lies ? found?.(copy, row) : checked?.(copy, ending)) ?? []) this.#tell(what, text)
  }

  /** Runs the command; stopped as soon as it hangs. */
  async #end(copy: TemplateCopy, url: string, plan: Plan): Promise<Ending> {
    this.#runs++
    const control = new AbortController()
    const watching = new AbortController()
    const watch = plan.stop ? stopWhenHanging(copy, control, watching.signal) : undefined
    try {
      return await endingOf(this.#subject.run(copy, url, plan.each ? 100_000 : 2000, control.signal))
    } finally {
      watching.abort()
      await watch
    }
  }

  #count(kind: string): void {
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1)
  }

  #tell(what: string, text: string): void {
    this.wrong.push(`${this.#subject.name}: ${what}: ${text}`)
  }
}

/** A machine asks for it once: after a case that ended well it would not ask again. */
function isKept({ operation, prefix }: Row): boolean {
  return operation === 'get' && prefix === 'index/'
}

/** How a run ends, as the command line would tell it. */
export async function endingOf(run: Promise<RunSummary | undefined>): Promise<Ending> {
  try {
    const summary = await run
    return summary ? { word: summary.outcome, exitCode: exitCodeOfSummary(summary), message: '' } : { word: 'success', exitCode: exitCodes.success, message: '' }
  } catch (error) {
    if (!(error instanceof HoldfastError)) return { word: `raw ${String(error)}`, exitCode: 0, message: error instanceof Error ? error.stack ?? '' : '' }
    const known = asHoldfastError(error)
    return { word: known.code, exitCode: exitCodeOfError(known.code, error instanceof RunFailed ? error.summary : undefined), message: `${known.message} ${isRetryable(known)}` }
  }
}

async function stopWhenHanging(copy: TemplateCopy, control: AbortController, signal: AbortSignal): Promise<void> {
  while (copy.happened().length === 0 && !signal.aborted) await systemClock.sleep(2, never)
  control.abort(new HoldfastError('aborted', 'The run was stopped.'))
}

const codesOf: Readonly<Record<string, readonly number[]>> = { success: [0], unchanged: [1], warnings: [2], failed: [100] }

/** The objects of a copy, without what probes leave that may not remove. */
async function lasting(copy: TemplateCopy): Promise<string[]> {
  return (await copy.objects()).filter((object) => !object.startsWith('probe/'))
}
