import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, open, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { object, parse, string } from 'valibot'

/** A bucket of its own on the shared server. */
export interface S3Bucket {
  readonly endpoint: string
  readonly bucket: string
  /** As the backend's `secrets` want them. */
  readonly secrets: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** The same for the environment of a command line. */
  readonly environment: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string }
  /** Address of a repository in this bucket. */
  url(prefix?: string): string
  /** A client of the tests' own, to look at and to damage what the backend stored. */
  readonly client: S3Client
}

const region = 'us-east-1'
const startTimeoutMs = 80_000
const pollMs = 50
const ready = object({ endpoint: string(), accessKeyId: string(), secretAccessKey: string() })

/**
 * Makes an empty bucket on the run's one S3 server (Ceph's radosgw). The first call of a run starts the server, in about
 * ten seconds; a process of its own ends it as soon as the run is over, however it ended. Wants Debian's ceph packages
 * (`npm run setup`).
 */
export async function freshBucket(): Promise<S3Bucket> {
  const { endpoint, ...secrets } = await sharedServer()
  const bucket = `test-${randomBytes(8).toString('hex')}`
  const client = new S3Client({
    endpoint,
    region,
    credentials: { ...secrets },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  return {
    endpoint,
    bucket,
    secrets,
    environment: { AWS_ACCESS_KEY_ID: secrets.accessKeyId, AWS_SECRET_ACCESS_KEY: secrets.secretAccessKey },
    url: (prefix = '') => `s3://${bucket}/${prefix}?endpoint=${encodeURIComponent(endpoint)}&region=${region}`,
    client,
  }
}

/** For `beforeAll`: what the run's server takes to start, far more on a busy machine, is then no part of a test's time. */
export async function startS3(): Promise<void> {
  await sharedServer()
}

/** Finds the run's server, or starts it. Callers in several processes at once agree on one. */
async function sharedServer(): Promise<ReturnType<typeof parseReady>> {
  const run = runOf()
  const folder = join(tmpdir(), `holdfast-s3-${run.pid}-${run.started}`)
  await mkdir(folder, { recursive: true })
  const first = await open(join(folder, 'first'), 'wx').catch(() => undefined)
  if (first) {
    await first.close()
    const keeper = fileURLToPath(new URL('s3-keeper.ts', import.meta.url))
    const log = await open(join(folder, 'keeper.log'), 'a')
    spawn(process.execPath, [keeper, folder, String(run.pid)], { detached: true, stdio: ['ignore', log.fd, log.fd] }).unref()
    await log.close()
  }
  for (const end = Date.now() + startTimeoutMs; Date.now() < end; await wait(pollMs)) {
    if (existsSync(join(folder, 'ready.json'))) return parseReady(await readFile(join(folder, 'ready.json'), 'utf8'))
    if (existsSync(join(folder, 'failed'))) break
  }
  throw new Error(`The S3 server did not start: ${await readFile(join(folder, 'keeper.log'), 'utf8').catch(String)}`)
}

function parseReady(text: string): { endpoint: string; accessKeyId: string; secretAccessKey: string } {
  return parse(ready, JSON.parse(text))
}

/**
 * The process whose end is the end of the run: `npm test` where it says so, else vitest, which is this process's parent
 * where the tests run in a fork. The start time tells it from a later process with the same id.
 */
function runOf(): { readonly pid: number; readonly started: string } {
  const pid = Number(process.env['HOLDFAST_TEST_RUN'] ?? (process.send ? process.ppid : process.pid))
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')
  return { pid, started: fields[19] ?? '' }
}
