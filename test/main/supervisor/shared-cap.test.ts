import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { presentNetwork } from '../../../engine/backend/flow/network.ts'
import { RememberedConcurrency } from '../../../engine/backend/flow/remembered-concurrency.ts'
import { linkKey } from '../../../engine/commands/transfers.ts'
import type { BackupJob } from '../../../engine/protocol/job.ts'
import type { EngineEvent } from '../../../engine/protocol/messages.ts'
import { nodeHost } from '../../../main/supervisor/node-host.ts'
import { Supervisor } from '../../../main/supervisor/supervisor.ts'
import { systemTimers } from '../../../main/system/timers.ts'
import { randomFile } from '../../e2e/harness/data.ts'
import { FaultProxy, type ProxiedRequest } from '../../faults/proxy.ts'
import { freshBucket, startS3, type S3Bucket } from '../../servers/s3.ts'
import { backupJob, noToken, ownKey } from '../fakes.ts'

const cap = 3
const engine = fileURLToPath(new URL('../../../engine/engine.ts', import.meta.url))

/** Watches the transfers of packs, and of their parts, as the server sees them, and holds them until the gate opens. Small requests go beside them. */
function watchTransfers(proxy: FaultProxy) {
  const gate = Promise.withResolvers<void>()
  const going = new Set<string>()
  const ended: string[] = []
  const seen = { most: 0, held: 0, going, ended, gate }
  const isTransfer = ({ method, url }: ProxiedRequest): boolean => (method === 'PUT' || method === 'GET') && url.includes('/packs/')
  proxy.choose = (request) => {
    if (!isTransfer(request)) return undefined
    seen.most = Math.max(seen.most, going.add(request.url).size)
    if (request.method !== 'PUT' || !request.url.includes('/packs/')) return undefined
    seen.held += 1
    // Packs take their time also later, so that both jobs go on wanting more than there is.
    return { type: 'hold', until: gate.promise.then(() => delay(100)) }
  }
  proxy.ended = (request) => {
    const [object = ''] = request.url.split('?')
    if (going.delete(request.url) && !ended.includes(object)) ended.push(object)
  }
  return seen
}

/** Starts a backup of 80 MB in a real engine; tells how many transfers it has or waits for. */
function startJob(supervisor: Supervisor, job: BackupJob, { secrets: { accessKeyId, secretAccessKey } }: S3Bucket) {
  const open = new Set<number>()
  const phases = new Set<string>()
  const hear = (event: EngineEvent): void => {
    if (event.type === 'permit-request') open.add(event.request)
    else if (event.type === 'permit-release') open.delete(event.request)
    else if (event.type === 'progress') phases.add(event.progress.phase)
  }
  const listener = { event: hear, output: () => undefined, restarting: () => undefined, restarted: () => undefined }
  const running = supervisor.start({ job, secrets: { password: 'tulip gravel omen lamp', storage: { accessKeyId, secretAccessKey } } }, listener)
  return { running, open, phases }
}

beforeAll(startS3)

test('two jobs in engines of their own share what their account bears: the server never sees more, and neither job waits for the other’s end', { timeout: 150_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-cap-'))
  const bucket = await freshBucket()
  await using proxy = await FaultProxy.start(bucket.endpoint)
  const server = watchTransfers(proxy)
  const supervisor = new Supervisor({ startHost: nodeHost({ node: process.execPath, engine, environment: process.env }), timers: systemTimers, renice: () => undefined, token: noToken, sharedAccount: ownKey })
  const home = join(folder, 'home')
  // No slow start: each of the two would take the whole cap.
  await new RememberedConcurrency(home).remember(linkKey(`s3:${new URL(proxy.endpoint).host}:${bucket.secrets.accessKeyId}`, 'up', presentNetwork()), 8, Date.now())
  const jobs = ['photos', 'papers'].map((name) => {
    mkdirSync(join(folder, name))
    randomFile(join(folder, name, 'one.bin'), 80_000_000, name)
    const repository = `faulty+s3://${bucket.bucket}/${name}?endpoint=${encodeURIComponent(proxy.endpoint)}&partSize=5M&fault.connections=${cap}`
    return startJob(supervisor, { ...backupJob, name, sources: [join(folder, name)], home, repository, concurrency: 8, create: true, verify: false }, bucket)
  })
  const early: unknown[] = []
  for (const { running } of jobs) void running.exited.then((exit) => early.push(exit))
  /** Waits for this to be true of both jobs; where one has ended instead, the failure tells how. */
  const both = (isSo: () => boolean) => expect.poll(() => (early[0] === undefined ? isSo() : JSON.stringify(early[0])), { timeout: 60_000 }).toBe(true)
  try {
    for (const { running } of jobs) running.pause()
    await both(() => jobs.every(({ phases }) => phases.has('working')))
    for (const { running } of jobs) running.resume()
    const wanted = (): number => jobs.reduce((sum, { open }) => sum + open.size, 0)
    await both(() => server.held === cap && wanted() > cap && jobs.every(({ open }) => open.size > 0))
    server.ended.length = 0
    server.gate.resolve()
    const ends = await Promise.all(jobs.map(({ running }) => running.exited))
    expect(ends).toMatchObject([{ type: 'finished', summary: { outcome: 'success' } }, { type: 'finished', summary: { outcome: 'success' } }])
    expect(server.most).toBe(cap)
    // One may have held the whole cap before the other wanted anything: then the next round is shared. A job has as many packs as that.
    const firsts = server.ended.slice(0, 2 * cap).join('\n')
    expect(firsts).toContain('/photos/')
    expect(firsts).toContain('/papers/')
  } finally {
    await supervisor.stopAll(1_000)
    rmSync(folder, { recursive: true })
  }
})
