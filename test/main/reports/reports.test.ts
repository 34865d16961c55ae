import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { JobReport } from '../../../main/api/contract.ts'
import { readReportAddress } from '../../../main/api/report-address.ts'
import { openReportsFile, Reports } from '../../../main/reports/reports.ts'
import { rejects, setUp } from '../jobs/handlers-world.ts'

interface Request {
  readonly line: string
  readonly type: string | undefined
  readonly body: string
}

const patiently = { timeout: 10_000 }

/** A server on this machine that answers with these statuses, the last for ever; 0: not at all. */
async function listen(...statuses: readonly number[]) {
  const got: Request[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => { body += part.toString() })
    request.on('end', () => {
      got.push({ line: `${request.method ?? ''} ${request.url ?? ''}`, type: request.headers['content-type'], body })
      const status = statuses[Math.min(got.length, statuses.length) - 1] ?? 200
      if (status !== 0) response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('done')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    got, origin,
    /** Waits for so many requests. */
    heard: (count: number) => expect.poll(() => got.length, patiently).toBe(count),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function ready(report?: JobReport) {
  const world = setUp()
  const id = await world.add('docs')
  if (report) await world.reports.set(id, report)
  const begin = async (): Promise<void> => {
    world.backups.run(id, 'manual')
    await world.timers.advance(0)
    world.last().ready()
  }
  return { ...world, id, begin }
}

const counters = { found: 3, unchanged: 0, deduplicated: 0, uploaded: 3, waiting: 0 }

it('a health check hears of the start and of the end, in words without a path', async () => {
  await using server = await listen()
  const world = await ready({ kind: 'ping', address: `${server.origin}/ping/t0ken?x=1` })
  await world.begin()
  await server.heard(1)
  world.last().finish({ files: counters, bytes: { ...counters, found: 2048 }, uploadedBytes: 512 })
  await server.heard(2)
  await world.begin()
  await server.heard(3)
  world.last().says({ type: 'failed', error: { code: 'denied', message: 'no access to /home/u/docs/secret', retryable: false } })
  world.last().exit('code 1')
  await server.heard(4)
  expect(server.got.map(({ line }) => line)).toEqual(['POST /ping/t0ken/start?x=1', 'POST /ping/t0ken?x=1', 'POST /ping/t0ken/start?x=1', 'POST /ping/t0ken/fail?x=1'])
  expect(server.got[1]?.body).toMatch(/^Holdfast backup "docs" on \S+: backed up, 3 files, 2048 bytes, 512 bytes sent, 0 warnings, \d+ s$/)
  expect(server.got[3]?.body).toContain(': failed (denied), ')
  expect(JSON.stringify(server.got)).not.toMatch(/secret|\/home/)
  expect(world.reports.view(world.id)).toEqual({ kind: 'ping', origin: server.origin })
})

it('a webhook gets one object for each', async () => {
  await using server = await listen()
  const world = await ready({ kind: 'json', address: `${server.origin}/hook` })
  await world.begin()
  await server.heard(1)
  world.last().finish({ outcome: 'warnings', problems: 1, snapshot: 'docs@4', files: counters, bytes: counters })
  await server.heard(2)
  expect(server.got.map(({ line, type }) => [line, type])).toEqual([['POST /hook', 'application/json'], ['POST /hook', 'application/json']])
  const [start, end] = server.got.map(({ body }) => JSON.parse(body) as unknown)
  expect(start).toEqual({ event: 'start', job: 'docs', host: expect.any(String) as string, startedMs: expect.any(Number) as number })
  expect(end).toMatchObject({ event: 'success', job: 'docs', outcome: 'warnings', files: 3, problems: 1, snapshot: 'docs@4' })
})

it('what fails for now is tried three times, and holds up no backup; then a note says so, until somebody is told again', async () => {
  await using server = await listen(503, 503, 503, 200)
  const world = await ready({ kind: 'ping', address: `${server.origin}/t0ken` })
  await world.begin()
  world.last().finish()
  await world.timers.advance(0)
  expect(world.ended.map(({ outcome }) => outcome)).toEqual(['success'])
  await server.heard(1)
  await expect.poll(async () => { await world.timers.advance(1_000); return server.got.length }, patiently).toBe(4)
  expect(server.got.map(({ line }) => line)).toEqual([...Array.from({ length: 3 }, () => 'POST /t0ken/start'), 'POST /t0ken'])
  await expect.poll(() => world.told.length).toBe(1)
  expect(world.told[0]).toBe(`${server.origin} could not be told of the backup “docs”: 503`)
  // The end has arrived.
  await expect.poll(() => world.reports.view(world.id)).toEqual({ kind: 'ping', origin: server.origin })
})

it.each<[string, readonly number[], string]>([
  ['refused for good', [404], '404'],
  ['sent elsewhere', [302], '302'],
])('what is %s is tried once, and goes nowhere else', async (_name, statuses, reason) => {
  await using server = await listen(...statuses)
  const world = await ready({ kind: 'ping', address: `${server.origin}/t0ken` })
  await world.begin()
  await expect.poll(() => world.reports.view(world.id)?.failed?.reason).toBe(reason)
  await world.timers.advance(60_000)
  expect(server.got.map(({ line }) => line)).toEqual(['POST /t0ken/start'])
})

it('an address that does not answer, or is not there, is named without what identifies its owner', async () => {
  await using silent = await listen(0)
  const world = await ready({ kind: 'ping', address: `${silent.origin}/t0ken` })
  await world.begin()
  await expect.poll(async () => { await world.timers.advance(1_000); return world.reports.view(world.id)?.failed?.reason }, patiently).toBe('timeout')
  expect(silent.got.length).toBe(3)
  await world.reports.set(world.id, { kind: 'ping', address: 'http://127.0.0.1:9/t0ken' })
  expect(world.reports.view(world.id)).toEqual({ kind: 'ping', origin: 'http://127.0.0.1:9' })
  world.last().finish()
  await expect.poll(async () => { await world.timers.advance(1_000); return world.reports.view(world.id)?.failed?.reason }, patiently).toBe('offline')
  expect(JSON.stringify([world.told, world.lines, world.reports.view(world.id)])).not.toContain('t0ken')
})

it('the address is kept as a secret, goes on after a restart, and is forgotten with the job', async () => {
  await using server = await listen()
  const world = await ready({ kind: 'ping', address: `${server.origin}/t0ken` })
  expect(readFileSync(join(world.folder, 'reports.json'), 'utf8') + readFileSync(join(world.folder, 'secrets.json'), 'utf8')).not.toContain('t0ken')
  const again = new Reports({ ...world, file: openReportsFile(join(world.folder, 'reports.json'), () => 0), host: 'desk', log: () => undefined, onChange: () => undefined })
  again.started(1, world.store.get(world.id))
  await server.heard(1)
  await world.handlers['job.remove']({ jobId: world.id })
  expect(world.reports.view(world.id)).toBeUndefined()
  expect(world.secrets.has(`report-${world.id}`).password).toBe(false)
})

it('main asks a person before anybody is told, and before nobody is any more', async () => {
  const world = await ready()
  const { id, handlers, person, asked } = world
  person.saysYes = false
  const report: JobReport = { kind: 'ping', address: 'https://hc.example/t0ken' }
  await rejects(handlers['report.set']({ jobId: id, report }), { code: 'aborted' })
  expect(world.reports.view(id)).toBeUndefined()
  person.saysYes = true
  await handlers['report.set']({ jobId: id, report })
  person.saysYes = false
  await rejects(handlers['report.set']({ jobId: id, report: { kind: 'ping', address: 'https://hc.example/mine' } }), { code: 'aborted' })
  await rejects(handlers['report.set']({ jobId: id, report: null }), { code: 'aborted' })
  expect(world.reports.view(id)).toEqual({ kind: 'ping', origin: 'https://hc.example' })
  expect(JSON.stringify(asked)).not.toContain('t0ken')
  expect(asked.map(({ title }) => title)).toEqual([...Array.from({ length: 3 }, () => 'Tell https://hc.example of the backups of “docs”?'), 'No longer tell https://hc.example of the backups of “docs”?'])
  await rejects(handlers['report.set']({ jobId: id, report: { kind: 'json', address: 'http://example.org/' } }), { code: 'arguments' })
  await rejects(handlers['report.set']({ jobId: 'none', report }), { code: 'not-found' })
})

it.each<[string, unknown]>([
  [' https://hc-ping.com/uuid#part ', { address: 'https://hc-ping.com/uuid', origin: 'https://hc-ping.com' }],
  ['http://localhost:8000/x', { address: 'http://localhost:8000/x', origin: 'http://localhost:8000' }],
  ['http://[::1]/x', { address: 'http://[::1]/x', origin: 'http://[::1]' }],
  ['http://example.org/x', { problem: 'readable' }],
  ['http://127.0.0.1.example.org/x', { problem: 'readable' }],
  ['https://user:pw@example.org/x', { problem: 'credentials' }],
  ['file:///etc/passwd', { problem: 'no-address' }],
  ['javascript:alert(1)', { problem: 'no-address' }],
  ['hc-ping.com/uuid', { problem: 'no-address' }],
  ['', { problem: 'no-address' }],
  [`https://example.org/${'x'.repeat(2000)}`, { problem: 'no-address' }],
])('the address %j', (typed, expected) => {
  expect(readReportAddress(typed)).toEqual(expected)
})
