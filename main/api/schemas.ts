import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import { overwriteRules } from '../../engine/protocol/restore-rules.ts'
import { scheduleSchema, timeSchema, weekdaysSchema } from '../../engine/protocol/schedule.ts'
import type { Channel, Destination, JobConfig, JobConfigInput, LimitTime, MailServer, ProviderDestination, Request, SecretsInput } from './contract.ts'
import { mostKept, mostKeptDays } from './retention.ts'
import { mostLimitTimes } from './limits.ts'
import { cronProblem } from './schedule.ts'
import { isMailHost, mostRecipients, readMailAddress } from './mail-address.ts'
import { mostAddress } from './report-address.ts'
import { languages } from '../text/language.ts'
import { checkedValues, providerById, valueProblems } from './providers.ts'

/** A schema for each channel's request: nothing from the window is used before it went through here. */
type RequestSchemas = { readonly [C in Channel]: v.GenericSchema<unknown, Request<C>> }

const maxPathLength = 4096
const maxPathBytes = 8 << 20
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const id = v.pipe(v.string(), v.regex(/^[0-9a-z-]{1,64}$/))
const line = v.pipe(v.string(), v.maxLength(maxPathLength))
const absolutePath = v.pipe(v.string(), v.maxLength(maxPathLength), v.check((path) => isAbsolute(path) && !path.includes('\0')))
const exactBytes = v.pipe(v.instance(Uint8Array), v.maxLength(maxPathLength * 4))
/** Paths within a snapshot: many, or long, but not both. */
const manyPaths = v.pipe(few(10_000), v.array(exactBytes), v.check((paths) => paths.reduce((sum, path) => sum + path.length, 0) <= maxPathBytes))
const rate = v.pipe(whole, v.minValue(1))

/** Of settings, also as their file keeps them. */
export const limitTimesSchema: v.GenericSchema<unknown, readonly LimitTime[]> = v.pipe(few(mostLimitTimes), v.array(v.strictObject({
  days: weekdaysSchema, from: timeSchema, to: timeSchema, uploadBytesPerSecond: v.exactOptional(rate), downloadBytesPerSecond: v.exactOptional(rate),
})))
const concurrency = v.pipe(whole, v.minValue(1), v.maxValue(32))

/** By names of fields or of secrets; few, before any of them is looked at. */
const named = <Schema extends v.GenericSchema<unknown, string>>(value: Schema) => v.pipe(
  v.custom<Readonly<Record<string, unknown>>>((input) => typeof input === 'object' && input !== null && Object.keys(input).length <= 32),
  v.record(v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9]{0,63}$/)), value),
)
const providerShape = v.strictObject({
  type: v.literal('provider'),
  provider: v.pipe(v.string(), v.check((name) => providerById(name) !== undefined)),
  values: named(v.pipe(v.string(), v.minLength(1), v.maxLength(maxPathLength))),
})
/** As the window asks for it: what is not exactly a value of its description is refused. */
const provider = v.pipe(providerShape, v.check((one) => isChecked(one)))

const folder = v.strictObject({ id: v.pipe(v.string(), v.regex(/^[0-9a-f-]{1,64}$/)) })

const presets = ['caches', 'trash', 'node_modules', 'nobackup', 'cachedir', 'nodump'] as const
const excludes = v.strictObject({
  patterns: v.pipe(few(1000), v.array(line)),
  presets: v.pipe(few(presets.length), v.array(v.picklist(presets))),
  largerThanBytes: v.exactOptional(whole),
  oneFileSystem: v.boolean(),
})

/** What the window asks for has times that come. */
const schedule = v.pipe(scheduleSchema, v.check((one) => one.type !== 'cron' || cronProblem(one.expression) === undefined))

const rule = v.exactOptional(v.pipe(whole, v.minValue(1), v.maxValue(mostKept)))
const retention = v.strictObject({
  last: rule, hourly: rule, daily: rule, weekly: rule, monthly: rule, yearly: rule,
  withinMs: v.exactOptional(v.pipe(whole, v.minValue(1), v.maxValue(mostKeptDays * 24 * 3_600_000))),
  budgetBytes: v.exactOptional(v.pipe(whole, v.minValue(1))),
})

const networkName = v.pipe(v.string(), v.minLength(1), v.maxLength(255))
const conditions = v.strictObject({
  mains: v.exactOptional(v.boolean()),
  batteryAbove: v.exactOptional(v.pipe(whole, v.minValue(1), v.maxValue(99))),
  unmetered: v.exactOptional(v.boolean()),
  idle: v.exactOptional(v.boolean()),
  networks: v.exactOptional(v.strictObject({ rule: v.picklist(['only', 'never']), names: v.pipe(few(20), v.array(networkName), v.minLength(1)) })),
})

const mailAddress = v.pipe(v.string(), v.check((text) => readMailAddress(text) === text))
const mailLine = v.pipe(v.string(), v.minLength(1), v.maxLength(256), v.check((text) => !/\p{Cc}/u.test(text)))

/** A mail server, also as its file keeps it. */
export const mailServerSchema: v.GenericSchema<unknown, MailServer> = v.strictObject({
  host: v.pipe(v.string(), v.check(isMailHost)),
  port: v.pipe(whole, v.minValue(1), v.maxValue(65_535)),
  security: v.picklist(['tls', 'starttls']),
  user: v.exactOptional(mailLine),
  from: mailAddress,
  to: v.pipe(few(mostRecipients), v.array(mailAddress), v.minLength(1), v.maxLength(mostRecipients)),
})

const terms = {
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9._-])?$/)),
  excludes,
  concurrency,
  uploadBytesPerSecond: v.exactOptional(rate),
  retention: v.exactOptional(retention),
  conditions: v.exactOptional(conditions),
}
const maxSources = 1000

/** A destination as the job file keeps it. What was a value of its storage once and no longer is one is told when it is used: no job is lost by it. */
export const destinationSchema: v.GenericSchema<unknown, Destination> = v.variant('type', [v.strictObject({ type: v.literal('folder'), path: absolutePath }), providerShape])

/** A job's configuration as the job file keeps it: the destination belongs to its repository. */
export type StoredConfig = Omit<JobConfig, 'destination'>
export const storedConfig: v.GenericSchema<unknown, StoredConfig> = v.strictObject({
  ...terms,
  schedule: scheduleSchema,
  sources: v.pipe(v.array(absolutePath), v.minLength(1), v.maxLength(maxSources)),
})

const destination = v.variant('type', [v.strictObject({ type: v.literal('folder'), folder }), provider])
const jobConfigInput: v.GenericSchema<unknown, JobConfigInput> = v.strictObject({
  ...terms,
  schedule,
  sources: v.pipe(few(maxSources), v.array(folder), v.minLength(1)),
  destination,
})

/** A service account's whole JSON file, a private key of 16384 bits. */
const maxKeyLength = 32_768
const secret = v.pipe(v.string(), v.minLength(1), v.maxLength(4096))
const secrets: v.GenericSchema<unknown, SecretsInput> = v.strictObject({
  password: v.exactOptional(secret),
  storage: v.exactOptional(named(v.pipe(v.string(), v.minLength(1), v.maxLength(maxKeyLength)))),
})

const snapshot = v.pipe(v.string(), v.minLength(1), v.maxLength(200))
const service = v.picklist(['dropbox', 'google', 'microsoft', 'box'])
const accountName = v.pipe(v.string(), v.minLength(1), v.maxLength(128))
const none = v.undefined()
const job = v.strictObject({ jobId: id })
const fileName = v.pipe(v.string(), v.minLength(1), v.maxLength(255))
const copy = v.strictObject({ copyId: id })
const visit = v.strictObject({ visitId: id })
const place = v.union([job, visit])
const run = v.strictObject({ jobId: id, runId: id })
const restore = v.strictObject({ restoreId: id })
const restorePart = { snapshot, paths: manyPaths, except: manyPaths }
const restoreTo = v.union([folder, v.strictObject({ original: v.literal(true) })])
/** Snapshots that one restore may take something from. */
const mostParts = 100
const page = v.pipe(whole, v.minValue(1), v.maxValue(1000))
const logPosition = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}-\d{1,12}$/))
const logFilter = v.strictObject({
  level: v.exactOptional(v.picklist(['debug', 'info', 'warning', 'error'])),
  job: v.exactOptional(v.nullable(v.pipe(v.string(), v.maxLength(64)))),
  runId: v.exactOptional(id),
  text: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(256))),
  fromMs: v.exactOptional(whole),
  toMs: v.exactOptional(whole),
})

export const requests: RequestSchemas = {
  'state.get': none,
  'job.add': v.strictObject({ config: jobConfigInput, secrets }),
  'job.update': v.strictObject({ jobId: id, config: jobConfigInput, secrets }),
  'job.remove': job,
  'job.run': job,
  'job.acceptOlder': job,
  'job.acknowledge': v.strictObject({ jobId: id, of: v.exactOptional(v.strictObject({ job: line, host: line })) }),
  'job.care': job,
  'job.copyCommand': job,
  'job.pause': job,
  'job.resume': job,
  'job.stop': v.strictObject({ jobId: id, mode: v.picklist(['drain', 'cancel']) }),
  'jobs.pauseAll': v.strictObject({ length: v.picklist([1, 2, 4, 'tomorrow', 'resumed']) }),
  'jobs.resumeAll': none,
  'copy.add': v.strictObject({ jobId: id, destination, secrets, removeVanished: v.boolean() }),
  'copy.remove': copy,
  'copy.run': copy,
  'copy.stop': copy,
  'copy.dismissHint': job,
  'report.set': v.strictObject({ jobId: id, report: v.nullable(v.strictObject({ kind: v.picklist(['ping', 'json']), address: v.pipe(v.string(), v.minLength(1), v.maxLength(mostAddress)) })) }),
  'mail.set': v.strictObject({ server: v.nullable(mailServerSchema), password: v.exactOptional(secret) }),
  'mail.test': none,
  'mail.choose': v.strictObject({ jobId: id, when: v.nullable(v.picklist(['failure', 'warning', 'always', 'weekly'])) }),
  'retention.preview': v.strictObject({ jobId: id, retention }),
  'history.runs': v.strictObject({ jobId: id, limit: page, before: v.exactOptional(id) }),
  'history.problems': run,
  'history.copyLog': run,
  'logs.page': v.strictObject({ filter: logFilter, limit: page, before: v.exactOptional(logPosition), after: v.exactOptional(logPosition) }),
  'logs.copy': v.strictObject({ lines: v.pipe(few(1000), v.array(logPosition), v.minLength(1)) }),
  'support.make': v.strictObject({ names: v.boolean() }),
  'support.read': v.strictObject({ name: v.pipe(v.string(), v.maxLength(64)), from: whole }),
  'support.save': none,
  'support.discard': none,
  'destination.test': v.strictObject({ destination, secrets, jobId: v.exactOptional(id) }),
  'account.signIn': v.strictObject({ service, account: v.exactOptional(accountName) }),
  'account.cancelSignIn': none,
  'account.signOut': v.strictObject({ service, account: accountName }),
  'dialog.file': none,
  'drives.list': none,
  'drives.choose': v.strictObject({ id: line }),
  'disk.add': v.strictObject({ jobId: id, id: line }),
  'disk.remove': v.strictObject({ jobId: id, id: line }),
  'dialog.folders': v.strictObject({ purpose: v.picklist(['sources', 'destination', 'restore']), at: v.exactOptional(fileName) }),
  'uncovered.fine': v.strictObject({ name: fileName }),
  'sources.suggest': none,
  'sources.measure': v.strictObject({ sources: v.pipe(few(1000), v.array(folder)), excludes }),
  'sources.endMeasure': none,
  'password.check': v.strictObject({ jobId: id, password: secret }),
  'password.add': v.strictObject({ jobId: id, password: secret }),
  'kit.make': job,
  'kit.page': v.strictObject({ jobId: id, to: v.picklist(['printer', 'pdf']) }),
  'kit.check': v.strictObject({ jobId: id, words: v.pipe(few(12), v.array(v.pipe(v.string(), v.maxLength(100))), v.minLength(1)) }),
  'kit.revoke': v.strictObject({ jobId: id, number: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)) }),
  'visit.open': v.strictObject({ destination, secrets }),
  'visit.address': v.strictObject({ address: line }),
  'visit.close': visit,
  'visit.machines': visit,
  'visit.import': v.strictObject({
    visitId: id,
    machineId: id,
    jobs: v.pipe(few(1000), v.array(v.pipe(v.string(), v.maxLength(64))), v.minLength(1)),
    replaces: v.boolean(),
  }),
  'browse.snapshots': v.strictObject({ place }),
  'browse.list': v.strictObject({ place, snapshot, path: exactBytes, after: v.exactOptional(exactBytes), limit: page }),
  'browse.search': v.strictObject({
    place, text: v.pipe(v.string(), v.minLength(1), v.maxLength(256)), after: v.exactOptional(v.pipe(v.string(), v.regex(/^\d{1,16}\.\d{1,16}$/))), limit: page,
  }),
  'browse.changes': v.strictObject({ place, snapshot, limit: page }),
  'browse.preview': v.strictObject({ place, snapshot, path: exactBytes }),
  'browse.compare': v.strictObject({ place, older: snapshot, newer: snapshot, path: exactBytes }),
  'browse.versions': v.strictObject({ place, snapshot, path: exactBytes }),
  'files.open': v.strictObject({ place }),
  'files.close': none,
  'files.copyPassword': none,
  'restore.plan': v.strictObject({ place, ...restorePart, target: restoreTo, after: v.exactOptional(exactBytes), limit: page }),
  'restore.start': v.strictObject({ place, ...restorePart, target: restoreTo, overwrite: v.picklist(overwriteRules), more: v.exactOptional(v.pipe(few(mostParts - 1), v.array(v.strictObject(restorePart)))) }),
  'restore.retry': restore,
  'restore.pause': restore,
  'restore.resume': restore,
  'restore.stop': restore,
  'restore.dismiss': restore,
  'settings.set': v.strictObject({
    language: v.exactOptional(v.picklist(['system', ...languages])),
    theme: v.exactOptional(v.picklist(['system', 'light', 'dark'])),
    autoStart: v.exactOptional(v.boolean()),
    notifications: v.exactOptional(v.picklist(['all', 'failures', 'none'])),
    parallelJobs: v.exactOptional(v.pipe(whole, v.minValue(1), v.maxValue(8))),
    defaultConcurrency: v.exactOptional(concurrency),
    uploadBytesPerSecond: v.exactOptional(v.nullable(rate)),
    downloadBytesPerSecond: v.exactOptional(v.nullable(rate)),
    limitTimes: v.exactOptional(limitTimesSchema),
  }),
  'folder.open': v.variant('type', [
    v.strictObject({ type: v.literal('source'), jobId: id, index: whole }),
    v.strictObject({ type: v.literal('destination'), jobId: id }),
    v.strictObject({ type: v.literal('restore'), restoreId: id }),
    v.strictObject({ type: v.literal('logs') }),
  ]),
  'notice.dismiss': v.strictObject({ id: v.pipe(v.string(), v.maxLength(200)) }),
}

/** An array of at most so many, before any of them is looked at. */
function few(most: number) {
  return v.custom<unknown[]>((value) => Array.isArray(value) && value.length <= most)
}

function isChecked({ provider: name, values }: ProviderDestination): boolean {
  const description = providerById(name)
  if (!description || Object.keys(valueProblems(description, values)).length > 0) return false
  const kept = checkedValues(description, values)
  return Object.keys(values).every((field) => kept[field] === values[field])
}

/** The field that is wrong, as a dotted path; nothing of its value. */
export function wrongField(issues: readonly v.BaseIssue<unknown>[]): string {
  const [first] = issues
  return (first && v.getDotPath(first)) ?? ''
}
