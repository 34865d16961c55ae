import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import type { Channel, JobConfig, Request, SecretsInput } from './contract.ts'

/** A schema for each channel's request: nothing from the window is used before it went through here. */
type RequestSchemas = { readonly [C in Channel]: v.GenericSchema<unknown, Request<C>> }

const maxPathLength = 4096
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const id = v.pipe(v.string(), v.regex(/^[0-9a-z-]{1,64}$/))
const line = v.pipe(v.string(), v.maxLength(maxPathLength))
const absolutePath = v.pipe(v.string(), v.maxLength(maxPathLength), v.check((path) => isAbsolute(path) && !path.includes('\0')))
const exactBytes = v.pipe(v.instance(Uint8Array), v.maxLength(maxPathLength * 4))
const rate = v.pipe(whole, v.minValue(1))
const concurrency = v.pipe(whole, v.minValue(1), v.maxValue(32))

const destination = v.variant('type', [
  v.object({ type: v.literal('folder'), path: absolutePath }),
  v.object({
    type: v.literal('s3'),
    bucket: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)),
    prefix: v.pipe(v.string(), v.maxLength(512)),
    endpoint: v.exactOptional(v.pipe(v.string(), v.maxLength(512), v.url(), v.check((url) => /^https?:\/\/[^@]+$/.test(url)))),
    region: v.exactOptional(v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,40}$/))),
  }),
])

const excludes = v.object({
  patterns: v.pipe(v.array(line), v.maxLength(1000)),
  presets: v.array(v.picklist(['caches', 'trash', 'node_modules', 'nobackup', 'cachedir'])),
  largerThanBytes: v.exactOptional(whole),
  oneFileSystem: v.boolean(),
})

const schedule = v.variant('type', [
  v.object({ type: v.literal('manual') }),
  v.object({ type: v.literal('hourly') }),
  v.object({ type: v.literal('daily'), at: v.pipe(v.string(), v.regex(/^([01]\d|2[0-3]):[0-5]\d$/)) }),
])

/** A job's configuration, from the window and from the job file. */
export const jobConfig: v.GenericSchema<unknown, JobConfig> = v.object({
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9._-])?$/)),
  sources: v.pipe(v.array(absolutePath), v.minLength(1), v.maxLength(1000)),
  destination,
  excludes,
  concurrency,
  uploadBytesPerSecond: v.exactOptional(rate),
  schedule,
})

const secret = v.pipe(v.string(), v.minLength(1), v.maxLength(4096))
const secrets: v.GenericSchema<unknown, SecretsInput> = v.object({
  password: v.exactOptional(secret),
  storage: v.exactOptional(v.object({ accessKeyId: secret, secretAccessKey: secret, sessionToken: v.exactOptional(secret) })),
})

const none = v.undefined()
const job = v.object({ jobId: id })
const run = v.object({ jobId: id, runId: id })
const restore = v.object({ restoreId: id })
const page = v.pipe(whole, v.minValue(1), v.maxValue(1000))

export const requests: RequestSchemas = {
  'state.get': none,
  'job.add': v.object({ config: jobConfig, secrets }),
  'job.update': v.object({ jobId: id, config: jobConfig, secrets }),
  'job.remove': job,
  'job.run': job,
  'job.pause': job,
  'job.resume': job,
  'job.stop': v.object({ jobId: id, mode: v.picklist(['drain', 'cancel']) }),
  'jobs.pauseAll': none,
  'jobs.resumeAll': none,
  'history.runs': v.object({ jobId: id, limit: page, before: v.exactOptional(id) }),
  'history.problems': run,
  'history.copyLog': run,
  'destination.test': v.object({ destination, secrets, jobId: v.exactOptional(id) }),
  'dialog.folders': v.object({ purpose: v.picklist(['sources', 'destination', 'restore']) }),
  'browse.snapshots': job,
  'browse.list': v.object({ jobId: id, snapshot: line, path: exactBytes, after: v.exactOptional(exactBytes), limit: page }),
  'restore.start': v.object({
    jobId: id,
    snapshot: line,
    target: absolutePath,
    paths: v.pipe(v.array(exactBytes), v.maxLength(10_000)),
    except: v.pipe(v.array(exactBytes), v.maxLength(10_000)),
    overwrite: v.picklist(['never', 'changed', 'always']),
  }),
  'restore.pause': restore,
  'restore.resume': restore,
  'restore.stop': restore,
  'restore.dismiss': restore,
  'settings.set': v.object({
    theme: v.exactOptional(v.picklist(['system', 'light', 'dark'])),
    autoStart: v.exactOptional(v.boolean()),
    notifications: v.exactOptional(v.picklist(['all', 'failures', 'none'])),
    parallelJobs: v.exactOptional(v.pipe(whole, v.minValue(1), v.maxValue(8))),
    defaultConcurrency: v.exactOptional(concurrency),
    uploadBytesPerSecond: v.exactOptional(v.nullable(rate)),
    downloadBytesPerSecond: v.exactOptional(v.nullable(rate)),
  }),
  'folder.open': v.variant('type', [
    v.object({ type: v.literal('source'), jobId: id, index: whole }),
    v.object({ type: v.literal('destination'), jobId: id }),
    v.object({ type: v.literal('restore'), restoreId: id }),
    v.object({ type: v.literal('logs') }),
  ]),
  'notice.dismiss': v.object({ id: v.pipe(v.string(), v.maxLength(200)) }),
}

/** The field that is wrong, as a dotted path; nothing of its value. */
export function wrongField(issues: readonly v.BaseIssue<unknown>[]): string {
  const [first] = issues
  return (first && v.getDotPath(first)) ?? ''
}

