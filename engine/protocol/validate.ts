import * as v from 'valibot'
import type { TokenAnswer } from './accounts.ts'
import { heldJobsSchema, unusualSchema } from './changes.ts'
import type { EngineJob } from './job.ts'
import { knownRepository } from './known.ts'
import { differenceKinds, type BrowseAnswer, type EngineCommand, type EngineEvent } from './messages.ts'
import type { RunSummary } from './progress.ts'
import { filePreview, planPage, textComparison } from './restore-schemas.ts'
import { overwriteRules } from './restore-rules.ts'
import { amount, count, counters, error, flag, operation, problem, runFigures, text } from './schemas.ts'

/** A message that came over a port: the value, or what is wrong with it in words that quote none of it (it may hold secrets). */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

/** A command from the supervisor. */
export function parseCommand(message: unknown): Parsed<EngineCommand> {
  return parse(command, message)
}

/** An event from an engine. */
export function parseEvent(message: unknown): Parsed<EngineEvent> {
  return parse(event, message)
}

/** A job as the command line, a settings file or a `start` message gives it. */
export function parseJob(value: unknown): Parsed<EngineJob> {
  return parse(job, value)
}

/** A run's summary as the history keeps it. */
export function parseSummary(value: unknown): Parsed<RunSummary> {
  return parse(summary, value)
}

function parse<T>(schema: v.GenericSchema<unknown, T>, value: unknown): Parsed<T> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return { ok: true, value: result.output }
  const [issue] = result.issues
  return { ok: false, problem: `${v.getDotPath(issue) ?? 'message'}: expected ${issue.expected ?? issue.type}` }
}

const bytes = v.instance(Uint8Array)
const address = v.pipe(v.string(), v.minLength(1), v.maxLength(4096))
const jobName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9 ._-]{1,64}$/))
const list = v.array(text)

const jobBase = {
  repository: address,
  home: address,
  concurrency: v.pipe(count, v.minValue(1), v.maxValue(1024)),
  patienceMs: v.exactOptional(amount),
  expectRepositoryId: v.exactOptional(text),
  known: v.exactOptional(knownRepository),
  acceptOlderRepository: v.exactOptional(flag),
  acceptOtherRepository: v.exactOptional(flag),
  host: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(255))),
}

/** What a backup takes. */
const taken = {
  sources: v.pipe(v.array(v.union([text, bytes])), v.minLength(1)),
  excludes: v.object({
    patterns: list,
    presets: v.array(v.picklist(['caches', 'trash', 'node_modules', 'nobackup', 'cachedir', 'nodump'])),
    largerThanBytes: v.exactOptional(count),
    oneFileSystem: flag,
  }),
}

const backupJob = v.object({
  ...jobBase,
  type: v.literal('backup'),
  name: jobName,
  ...taken,
  dryRun: flag,
  acceptChangedSources: v.exactOptional(flag),
  onFailure: v.picklist(['drain', 'cancel']),
  create: v.exactOptional(flag),
  verify: v.exactOptional(flag),
  machineSettings: v.exactOptional(v.pipe(v.string(), v.maxLength(1_000_000))),
})

const restorePart = { snapshot: text, paths: v.array(bytes), except: v.exactOptional(v.array(bytes)), only: v.exactOptional(v.array(bytes)) }

const restoreInto = v.union([address, v.object({ origins: v.pipe(v.array(address), v.minLength(1)) })])

const restoreJob = v.object({
  ...jobBase,
  ...restorePart,
  type: v.literal('restore'),
  target: restoreInto,
  overwrite: v.picklist(overwriteRules),
  more: v.exactOptional(v.pipe(v.array(v.object(restorePart)), v.maxLength(1000))),
})

const checkJob = v.object({
  ...jobBase,
  type: v.literal('check'),
  readDataPercent: v.pipe(v.number(), v.minValue(0), v.maxValue(100)),
  repair: v.exactOptional(flag),
})

const policy = v.object({
  last: v.exactOptional(count),
  hourly: v.exactOptional(count),
  daily: v.exactOptional(count),
  weekly: v.exactOptional(count),
  monthly: v.exactOptional(count),
  yearly: v.exactOptional(count),
  withinMs: v.exactOptional(count),
  budgetBytes: v.exactOptional(count),
})

const forgetJob = v.object({
  ...jobBase,
  type: v.literal('forget'),
  snapshots: list,
  policy: v.exactOptional(policy),
  name: v.exactOptional(jobName),
  allHosts: v.exactOptional(flag),
  pinned: v.exactOptional(flag),
  despiteUnusual: v.exactOptional(flag),
  dryRun: flag,
})

const syncJob = v.object({
  ...jobBase,
  type: v.literal('sync'),
  from: address,
  groups: v.pipe(list, v.maxLength(1000)),
  last: v.exactOptional(v.pipe(count, v.minValue(1))),
  removeVanished: flag,
  carryFine: v.exactOptional(flag),
  parallelGroups: v.pipe(count, v.minValue(1), v.maxValue(16)),
  dryRun: flag,
  create: v.exactOptional(flag),
  expectSourceId: v.exactOptional(text),
  acceptOlderSource: v.exactOptional(flag),
  acceptOtherSource: v.exactOptional(flag),
})

const careJob = v.object({
  ...jobBase,
  type: v.literal('care'),
  retention: v.array(v.object({ policy, name: v.exactOptional(jobName), allHosts: v.exactOptional(flag) })),
  budgetBytes: v.exactOptional(count),
  budgetMs: v.exactOptional(count),
  despiteUnusual: v.exactOptional(flag),
  minimumAgeMs: v.exactOptional(count),
  expireAfterMs: v.exactOptional(count),
})

const job: v.GenericSchema<unknown, EngineJob> = v.variant('type', [
  backupJob,
  restoreJob,
  checkJob,
  forgetJob,
  syncJob,
  careJob,
  v.object({ ...jobBase, type: v.literal('prune'), dryRun: flag, despiteUnusual: v.exactOptional(flag), minimumAgeMs: v.exactOptional(count), expireAfterMs: v.exactOptional(count) }),
  v.object({
    ...jobBase, type: v.literal('drill'), name: v.exactOptional(jobName),
    files: v.exactOptional(count), bytes: v.exactOptional(count), seed: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(4096))),
  }),
  v.object({ ...jobBase, type: v.literal('rebuild'), name: v.exactOptional(jobName) }),
  v.object({ ...jobBase, type: v.literal('browse') }),
  v.object({ ...jobBase, type: v.literal('serve'), snapshots: v.pipe(list, v.maxLength(1000)), port: v.pipe(count, v.maxValue(65_535)), idleMs: v.exactOptional(count) }),
  v.object({ ...jobBase, type: v.literal('watch'), ...taken, quiet: list }),
  v.object({ ...jobBase, type: v.literal('test') }),
])

const service = v.picklist(['dropbox', 'google', 'microsoft', 'box'])
const accountName = v.pipe(v.string(), v.minLength(1), v.maxLength(4096))
const accessToken = v.object({ accessToken: v.pipe(v.string(), v.minLength(1), v.maxLength(16_384)), expiresMs: amount })
const tokenAnswer: v.GenericSchema<unknown, TokenAnswer> = v.variant('type', [
  v.object({ type: v.literal('token'), token: accessToken }),
  v.object({ type: v.literal('refused'), error }),
])

const limits = v.object({ uploadBytesPerSecond: v.exactOptional(amount), downloadBytesPerSecond: v.exactOptional(amount) })

const keyName = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/))

const query = v.variant('type', [
  v.object({ type: v.literal('snapshots') }),
  v.object({
    type: v.literal('list'),
    snapshot: text,
    path: bytes,
    after: v.exactOptional(bytes),
    limit: v.pipe(count, v.minValue(1), v.maxValue(10_000)),
  }),
  v.object({
    type: v.literal('annotate'),
    snapshot: text,
    change: v.object({ pinned: v.exactOptional(flag), name: v.exactOptional(text), note: v.exactOptional(text), fine: v.exactOptional(flag) }),
  }),
  v.object({ type: v.literal('acknowledge'), job: text, host: text }),
  v.object({ type: v.literal('add-password'), password: text }),
  v.object({ type: v.literal('make-kit') }),
  v.object({ type: v.literal('remove-key'), key: keyName }),
  v.object({ type: v.literal('door') }),
  v.object({ type: v.literal('machines') }),
  v.object({ type: v.literal('watched') }),
  v.object({
    type: v.literal('search'), text: v.pipe(v.string(), v.minLength(1), v.maxLength(256)), after: v.exactOptional(v.pipe(v.string(), v.regex(/^\d{1,16}\.\d{1,16}$/))),
    limit: v.pipe(count, v.minValue(1), v.maxValue(1000)),
  }),
  v.object({ type: v.literal('diff'), snapshot: text, limit: v.pipe(count, v.minValue(1), v.maxValue(1000)) }),
  v.object({ type: v.literal('versions'), snapshot: text, path: bytes }),
  v.object({ type: v.literal('preview'), snapshot: text, path: bytes }),
  v.object({ type: v.literal('compare'), older: text, newer: text, path: bytes }),
  v.object({ type: v.literal('plan'), target: restoreInto, snapshot: text, paths: v.array(bytes), except: v.exactOptional(v.array(bytes)), after: v.exactOptional(bytes), limit: v.pipe(count, v.minValue(1), v.maxValue(1000)) }),
])

const secrets = { password: text, storage: v.record(text, text) }

const command: v.GenericSchema<unknown, EngineCommand> = v.variant('type', [
  v.object({ type: v.literal('start'), job, secrets: v.object({ ...secrets, from: v.exactOptional(v.object(secrets)) }), limits }),
  v.object({ type: v.literal('pause') }),
  v.object({ type: v.literal('resume') }),
  v.object({ type: v.literal('limits'), limits }),
  v.object({ type: v.literal('stop'), mode: v.picklist(['drain', 'cancel']) }),
  v.object({ type: v.literal('permit-granted'), request: count }),
  v.object({ type: v.literal('account-pause'), account: text, pauseMs: amount }),
  v.object({ type: v.literal('token'), request: count, answer: tokenAnswer }),
  v.object({ type: v.literal('query'), request: count, query }),
])

const syncProgress = v.object({
  groups: v.object({ done: count, total: count }),
  snapshots: v.object({ done: count, total: count }),
  at: v.array(v.object({ group: text, snapshot: text, doneBytes: amount, totalBytes: amount })),
  readBytes: amount,
  readBytesPerSecond: amount,
  sentBytes: amount,
  sentBytesPerSecond: amount,
})

const progress = v.object({
  operation,
  phase: v.picklist(['opening', 'scanning', 'working', 'finishing', 'verifying']),
  paused: flag,
  waitingFor: v.exactOptional(v.object({ code: v.picklist(['offline', 'throttled', 'unavailable', 'permit']), sinceMs: amount })),
  files: counters,
  bytes: counters,
  transferredBytes: amount,
  bytesPerSecond: amount,
  atOnce: v.exactOptional(v.object({ limit: count, wanted: count, because: v.exactOptional(v.picklist(['refused', 'enough'])) })),
  fraction: v.exactOptional(amount),
  etaMs: v.exactOptional(v.object({ from: amount, to: amount })),
  continuedFraction: v.exactOptional(amount),
  currentPath: v.exactOptional(text),
  sync: v.exactOptional(syncProgress),
  problems: count,
})

const transfer = v.object({
  id: count,
  state: v.picklist(['active', 'done', 'failed']),
  direction: v.picklist(['up', 'down']),
  name: text,
  bytes: amount,
  totalBytes: amount,
  bytesPerSecond: amount,
  attempt: count,
})

const summary: v.GenericSchema<unknown, RunSummary> = v.object({
  ...runFigures,
  outcome: v.picklist(['success', 'unchanged', 'warnings', 'partial', 'failed']),
  firstProblems: v.array(problem),
  repositoryId: v.exactOptional(text),
  known: v.exactOptional(knownRepository),
  details: v.exactOptional(v.unknown()),
})

const annotationView = v.object({ pinned: flag, name: text, note: text, fine: v.exactOptional(flag) })

const snapshotView = v.object({
  id: text,
  job: text,
  revision: count,
  host: text,
  sources: list,
  startedMs: amount,
  finishedMs: amount,
  files: amount,
  bytes: amount,
  problems: amount,
  annotation: v.exactOptional(annotationView),
  unusual: v.exactOptional(unusualSchema),
})

const entryType = v.picklist(['file', 'directory', 'symlink', 'fifo'])
const entryView = v.object({
  name: bytes,
  shown: text,
  type: entryType,
  size: v.exactOptional(amount),
  mtimeMs: v.number(),
  linkTarget: v.exactOptional(text),
})

const foundEntry = v.object({
  snapshot: text, job: text, host: text, path: bytes, shown: text, folder: text, type: entryType, size: v.exactOptional(amount), mtimeMs: v.number(), versions: count, lastMs: amount, there: flag,
})
const difference = v.object({
  kind: v.picklist(differenceKinds), path: bytes, shown: text, folder: text, type: entryType, sizeBefore: v.exactOptional(amount), size: v.exactOptional(amount),
})
const differenceTotal = v.object({ entries: count, bytes: amount })
const differenceTotals = v.object({ added: differenceTotal, removed: differenceTotal, content: differenceTotal, metadata: differenceTotal, type: differenceTotal })
const pathVersion = v.object({
  snapshot: text, firstMs: amount, lastMs: amount, snapshots: count, type: entryType, size: v.exactOptional(amount), mtimeMs: v.number(), goneMs: v.exactOptional(amount),
})
const coverage = v.object({ searched: count, snapshots: count, filling: flag })

const answer: v.GenericSchema<unknown, BrowseAnswer> = v.variant('type', [
  v.object({ type: v.literal('snapshots'), snapshots: v.array(snapshotView), missed: list, held: heldJobsSchema }),
  v.object({ type: v.literal('list'), entries: v.array(entryView), more: flag }),
  v.object({ type: v.literal('annotated'), snapshot: text, annotation: annotationView }),
  v.object({ type: v.literal('acknowledged'), snapshots: list }),
  v.object({ type: v.literal('password-added'), key: text }),
  v.object({
    type: v.literal('kit'), repositoryId: text, key: keyName,
    words: v.pipe(v.string(), v.regex(/^[a-z]+(?: [a-z]+){11}$/)), page: v.pipe(v.string(), v.maxLength(500_000)),
  }),
  v.object({ type: v.literal('key-removed') }),
  v.object({ type: v.literal('door'), port: v.pipe(count, v.minValue(1), v.maxValue(65_535)), user: v.pipe(v.string(), v.regex(/^[a-z]{1,32}$/)), password: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)), snapshots: count }),
  v.object({ type: v.literal('machines'), repositoryId: text, machines: v.array(v.object({ host: text, user: text, savedMs: amount, settings: v.string() })) }),
  v.object({ type: v.literal('watched'), folders: count, away: count, changes: count }),
  v.object({ type: v.literal('found'), entries: v.array(foundEntry), next: v.exactOptional(text), coverage }),
  v.object({ type: v.literal('differences'), older: v.exactOptional(text), newer: text, entries: v.array(difference), totals: differenceTotals, complete: flag }),
  v.object({ type: v.literal('versions'), versions: v.array(pathVersion), coverage }),
  v.object({ type: v.literal('planned'), ...planPage }),
  v.object({ type: v.literal('previewed'), preview: filePreview }),
  v.object({ type: v.literal('compared'), comparison: textComparison }),
  v.object({ type: v.literal('error'), error }),
])

const logContext = v.object({
  job: v.exactOptional(text),
  operation: v.exactOptional(text),
  group: v.exactOptional(text),
  snapshot: v.exactOptional(text),
  file: v.exactOptional(text),
  pack: v.exactOptional(text),
  object: v.exactOptional(text),
  attempt: v.exactOptional(count),
})

const event: v.GenericSchema<unknown, EngineEvent> = v.variant('type', [
  v.object({ type: v.literal('ready'), protocolVersion: count, pid: count }),
  v.object({ type: v.literal('heartbeat') }),
  v.object({ type: v.literal('progress'), progress }),
  v.object({ type: v.literal('transfer'), transfer }),
  v.object({
    type: v.literal('log'),
    level: v.picklist(['debug', 'info', 'warning', 'error']),
    time: amount,
    message: text,
    context: logContext,
  }),
  v.object({ type: v.literal('permit-request'), request: count, account: text, cap: count }),
  v.object({ type: v.literal('permit-release'), request: count }),
  v.object({ type: v.literal('account-use'), account: text }),
  v.object({ type: v.literal('account-pause'), account: text, pauseMs: amount }),
  v.object({
    type: v.literal('token-request'),
    request: count,
    account: v.object({ service, name: v.exactOptional(accountName) }),
    rejected: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{24}$/))),
  }),
  v.object({ type: v.literal('problem'), problem }),
  v.object({ type: v.literal('answer'), request: count, answer }),
  v.object({ type: v.literal('finished'), summary }),
  v.object({ type: v.literal('failed'), error, summary: v.exactOptional(summary) }),
])
