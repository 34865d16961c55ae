import { appendFile, mkdir, readFile, readdir, rm } from 'node:fs/promises'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import writeFileAtomic from 'write-file-atomic'
import { amount, count, error, operation, problem, runFigures } from '../../engine/protocol/schemas.ts'
import type { CareFigures, Problem, RunView, SyncFigures } from '../api/contract.ts'
import { ensureClosed, ownFile } from '../system/private-folder.ts'
import { runViewWithoutEngine } from './run-view.ts'

/** Runs that are kept of each job. */
export const keptRuns = 200
/** Problems that are kept of each run. */
export const keptProblems = 1000

const trigger = v.picklist(['manual', 'schedule', 'catch-up'])

const care: v.GenericSchema<unknown, CareFigures> = v.object({
  forgotten: count,
  prune: v.picklist(['done', 'not due', 'no budget', 'waiting', 'held', 'failed']),
  freedBytes: amount,
  affectedCount: count,
  drill: v.picklist(['passed', 'warnings', 'failed', 'nothing', 'no room', 'not due', 'no budget']),
  drilledFiles: count,
  unreadPacks: count,
  oldestVerifiedMs: v.exactOptional(amount),
})

const copy: v.GenericSchema<unknown, SyncFigures> = v.object({ there: count, copied: count, removed: count, failed: count })

const runSchema: v.GenericSchema<unknown, RunView> = v.object({
  ...runFigures,
  id: v.string(),
  jobId: v.string(),
  trigger,
  outcome: v.picklist(['success', 'unchanged', 'warnings', 'partial', 'failed', 'stopped']),
  restarts: count,
  error: v.exactOptional(error),
  care: v.exactOptional(care),
  copy: v.exactOptional(copy),
  throughput: v.exactOptional(v.object({ everyMs: amount, bytes: v.array(amount) })),
})

export interface StartedRun {
  readonly id: string
  readonly operation: RunView['operation']
  readonly trigger: RunView['trigger']
  readonly startedMs: number
}

const lineSchema = v.variant('type', [
  v.object({ type: v.literal('started'), run: v.object({ id: v.string(), operation, trigger, startedMs: amount }) }),
  v.object({ type: v.literal('ended'), run: runSchema }),
])

const problemsSchema: v.GenericSchema<unknown, readonly Problem[]> = v.array(problem)

interface JobHistory {
  /** Oldest first. */
  runs: readonly RunView[]
  lines: number
}

/**
 * The runs of each job: a file of lines that grows by one at each start and end, and beside it the problems of each run. A run
 * whose end is missing was cut off together with the app.
 */
export class RunHistory {
  readonly #folder: string
  readonly #jobs = new Map<string, JobHistory>()
  #writing: Promise<void> = Promise.resolve()

  /** @param folder is made when the first run is recorded. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Reads what is there; returns the jobs whose last run was cut off. Those runs count as failed from now on. */
  load(): readonly string[] {
    if (!existsSync(this.#folder)) return []
    ensureClosed(this.#folder)
    const cutOff: string[] = []
    for (const jobId of readdirSync(this.#folder)) {
      const { runs, lines, interrupted } = readRuns(jobId, this.#runsFile(jobId))
      this.#jobs.set(jobId, { runs: runs.slice(-keptRuns), lines })
      if (interrupted) {
        cutOff.push(jobId)
        this.ended(interrupted, [])
      }
    }
    return cutOff
  }

  last(jobId: string): RunView | undefined {
    return this.#jobs.get(jobId)?.runs.at(-1)
  }

  /** Newest first, those before `before`. */
  page(jobId: string, limit: number, before?: string): { readonly runs: readonly RunView[]; readonly more: boolean } {
    const newestFirst = [...(this.#jobs.get(jobId)?.runs ?? [])].reverse()
    const from = before === undefined ? 0 : newestFirst.findIndex((run) => run.id === before) + 1
    return { runs: newestFirst.slice(from, from + limit), more: newestFirst.length > from + limit }
  }

  find(jobId: string, runId: string): RunView | undefined {
    return this.#jobs.get(jobId)?.runs.find((run) => run.id === runId)
  }

  started(jobId: string, run: StartedRun): void {
    this.#append(jobId, JSON.stringify({ type: 'started', run }))
  }

  /** Counts at once; see `flush` for when it is on disk. */
  ended(run: RunView, problems: readonly Problem[]): void {
    const history = this.#of(run.jobId)
    history.runs = [...history.runs, run].slice(-keptRuns)
    this.#append(run.jobId, JSON.stringify({ type: 'ended', run }))
    if (problems.length > 0) {
      const text = JSON.stringify(problems.slice(0, keptProblems))
      this.#write(() => writeFileAtomic(this.#problemsFile(run.jobId, run.id), text, ownFile()))
    }
    if (history.lines > keptRuns * 4) this.#compact(run.jobId)
  }

  /** Empty where none were kept. */
  async problems(jobId: string, runId: string): Promise<readonly Problem[]> {
    await this.flush()
    const text = await readFile(this.#problemsFile(jobId, runId), 'utf8').catch(() => '[]')
    const parsed = v.safeParse(problemsSchema, parseJson(text))
    return parsed.success ? parsed.output : []
  }

  remove(jobId: string): void {
    this.#jobs.delete(jobId)
    this.#write(() => rm(join(this.#folder, jobId), { recursive: true, force: true }))
  }

  /** Resolves when everything so far is on disk. A failed write is given up: the history is not worth stopping for. */
  async flush(): Promise<void> {
    await this.#writing
  }

  #of(jobId: string): JobHistory {
    const known = this.#jobs.get(jobId)
    if (known) return known
    const made: JobHistory = { runs: [], lines: 0 }
    this.#jobs.set(jobId, made)
    return made
  }

  #append(jobId: string, line: string): void {
    this.#of(jobId).lines += 1
    this.#write(async () => {
      await mkdir(join(this.#folder, jobId), { recursive: true, mode: 0o700 })
      await appendFile(this.#runsFile(jobId), `${line}\n`, { mode: 0o600 })
    })
  }

  /** Leaves the kept runs in the file and takes the problems of the others away. */
  #compact(jobId: string): void {
    const history = this.#of(jobId)
    const lines = history.runs.map((run) => `${JSON.stringify({ type: 'ended', run })}\n`)
    const kept = new Set(history.runs.map((run) => `${run.id}.problems.json`))
    history.lines = lines.length
    this.#write(async () => {
      await writeFileAtomic(this.#runsFile(jobId), lines.join(''), ownFile())
      for (const name of await readdir(join(this.#folder, jobId))) {
        if (name.endsWith('.problems.json') && !kept.has(name)) await rm(join(this.#folder, jobId, name), { force: true })
      }
    })
  }

  #write(action: () => Promise<void>): void {
    this.#writing = this.#writing.then(action).catch(() => undefined)
  }

  #runsFile(jobId: string): string {
    return join(this.#folder, jobId, 'runs.jsonl')
  }

  #problemsFile(jobId: string, runId: string): string {
    return join(this.#folder, jobId, `${runId}.problems.json`)
  }
}

/** Lines that cannot be read (a half-written last one) are passed over. */
function readRuns(jobId: string, path: string): { readonly runs: readonly RunView[]; readonly lines: number; readonly interrupted: RunView | undefined } {
  const runs: RunView[] = []
  const open = new Map<string, StartedRun>()
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter((line) => line !== '') : []
  for (const line of lines) {
    const parsed = v.safeParse(lineSchema, parseJson(line))
    if (!parsed.success) continue
    const { type, run } = parsed.output
    if (type === 'started') open.set(run.id, run)
    else {
      open.delete(run.id)
      runs.push(run)
    }
  }
  const last = [...open.values()].at(-1)
  const interrupted = last && runViewWithoutEngine({ ...last, jobId, finishedMs: last.startedMs, stopped: false, problems: 0 }, true)
  return { runs, lines: lines.length, interrupted }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
