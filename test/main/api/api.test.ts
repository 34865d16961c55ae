import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { channels } from '../../../main/api/contract.ts'
import type { Channel } from '../../../main/api/contract.ts'
import { reply } from '../../../main/api/dispatch.ts'
import type { Handlers } from '../../../main/api/dispatch.ts'
import { EngineError, MainError } from '../../../main/api/errors.ts'
import { requests } from '../../../main/api/schemas.ts'
import { accountHandlers } from '../../../main/accounts/handlers.ts'
import { copyHandlers } from '../../../main/jobs/copy-handlers.ts'
import { historyHandlers, jobHandlers, repositoryHandlers } from '../../../main/jobs/handlers.ts'
import { driveHandlers } from '../../../main/jobs/drive-handlers.ts'
import { rotationHandlers } from '../../../main/jobs/rotation-handlers.ts'
import { sourceHandlers } from '../../../main/jobs/sources.ts'
import { supportHandlers } from '../../../main/support/handlers.ts'
import { reportHandlers } from '../../../main/reports/handlers.ts'
import { filesHandlers } from '../../../main/files/shared-files.ts'
import { kitHandlers } from '../../../main/kit/handlers.ts'
import { visitHandlers } from '../../../main/visit/handlers.ts'
import { settingsHandlers } from '../../../main/settings/handlers.ts'
import { windowHandlers } from '../../../main/window/handlers.ts'
import { noPace } from '../fakes.ts'
import { input } from '../jobs/world.ts'

/** Handlers that remember what they were given. */
function recording(result: (channel: Channel) => unknown = () => undefined) {
  const given: [Channel, unknown][] = []
  const entries = channels.map((channel) => [channel, (request: unknown) => { given.push([channel, request]); return result(channel) }])
  return { given, handlers: Object.fromEntries(entries) as unknown as Handlers }
}

const secrets = { password: 'p' }
const valid: Readonly<Record<Channel, unknown>> = {
  'state.get': undefined,
  'job.add': { config: input, secrets },
  'job.update': { jobId: 'a-1', config: input, secrets: {} },
  'job.remove': { jobId: 'a-1' },
  'job.run': { jobId: 'a-1' },
  'job.acceptOlder': { jobId: 'a-1' },
  'job.acknowledge': { jobId: 'a-1', of: { job: 'photos', host: 'attic' } },
  'job.care': { jobId: 'a-1' },
  'job.copyCommand': { jobId: 'a-1' },
  'job.pause': { jobId: 'a-1' },
  'job.resume': { jobId: 'a-1' },
  'job.stop': { jobId: 'a-1', mode: 'drain' },
  'jobs.pauseAll': { length: 'tomorrow' },
  'jobs.resumeAll': undefined,
  'copy.add': { jobId: 'a-1', destination: input.destination, secrets, removeVanished: true },
  'copy.remove': { copyId: 'a-1' },
  'copy.run': { copyId: 'a-1' },
  'copy.stop': { copyId: 'a-1' },
  'copy.dismissHint': { jobId: 'a-1' },
  'report.set': { jobId: 'a-1', report: { kind: 'ping', address: 'https://hc.example/uuid' } },
  'mail.set': { server: { host: 'smtp.example.org', port: 587, security: 'starttls', user: 'mia', from: 'a@example.org', to: ['b@example.org'] }, password: 'p' },
  'mail.test': undefined,
  'mail.choose': { jobId: 'a-1', when: 'warning' },
  'retention.preview': { jobId: 'a-1', retention: { last: 2 } },
  'history.runs': { jobId: 'a-1', limit: 20 },
  'history.problems': { jobId: 'a-1', runId: 'b-2' },
  'history.copyLog': { jobId: 'a-1', runId: 'b-2' },
  'logs.page': { filter: { level: 'warning', job: null, text: 'slow', fromMs: 1 }, limit: 200, before: '0123456789abcdef-17' },
  'logs.copy': { lines: ['0123456789abcdef-0'] },
  'support.make': { names: false },
  'support.read': { name: 'log.jsonl', from: 65536 },
  'support.save': undefined,
  'support.discard': undefined,
  'destination.test': { destination: input.destination, secrets: {} },
  'account.signIn': { service: 'dropbox', account: 'anna@example.org' },
  'account.cancelSignIn': undefined,
  'account.signOut': { service: 'box', account: 'anna@example.org' },
  'dialog.folders': { purpose: 'sources', at: 'Pictures' },
  'uncovered.fine': { name: 'Pictures' },
  'dialog.file': undefined,
  'drives.list': undefined,
  'drives.choose': { id: '3f1c-52aa' },
  'sources.suggest': undefined,
  'sources.measure': { sources: [{ id: 'a-1' }], excludes: input.excludes },
  'sources.endMeasure': undefined,
  'disk.add': { jobId: 'a-1', id: '3f1c-52aa' },
  'disk.remove': { jobId: 'a-1', id: '3f1c-52aa' },
  'password.check': { jobId: 'a-1', password: 'p' },
  'password.add': { jobId: 'a-1', password: 'p' },
  'kit.make': { jobId: 'a-1' },
  'kit.page': { jobId: 'a-1', to: 'pdf' },
  'kit.check': { jobId: 'a-1', words: ['ozone', 'drill', 'grab'] },
  'kit.revoke': { jobId: 'a-1', number: '1a2b3c4d' },
  'files.open': { place: { jobId: 'a-1' } },
  'files.close': undefined,
  'files.copyPassword': undefined,
  'visit.open': { destination: input.destination, secrets },
  'visit.address': { address: 's3://bucket' },
  'visit.close': { visitId: 'a-1' },
  'visit.machines': { visitId: 'a-1' },
  'visit.import': { visitId: 'a-1', machineId: '0', jobs: ['docs'], replaces: true },
  'browse.snapshots': { place: { visitId: 'a-1' } },
  'browse.list': { place: { jobId: 'a-1' }, snapshot: 'docs@1', path: new Uint8Array([0xff]), limit: 100 },
  'browse.search': { place: { jobId: 'a-1' }, text: 'x', after: '1.2', limit: 100 },
  'browse.preview': { place: { jobId: 'a-1' }, snapshot: 'docs@1', path: new Uint8Array([0xff]) },
  'browse.compare': { place: { jobId: 'a-1' }, older: 'docs@1', newer: 'docs@2', path: new Uint8Array([0xff]) },
  'browse.versions': { place: { jobId: 'a-1' }, snapshot: 'docs@1', path: new Uint8Array([0xff]) },
  'browse.changes': { place: { jobId: 'a-1' }, snapshot: 'docs@1', limit: 100 },
  'restore.plan': { place: { jobId: 'a-1' }, snapshot: 'docs@1', target: { id: '0a-1' }, paths: [new Uint8Array([1])], except: [], after: new Uint8Array([1]), limit: 100 },
  'restore.start': { place: { jobId: 'a-1' }, snapshot: 'docs@1', target: { id: '0a-1' }, paths: [new Uint8Array([1])], except: [new Uint8Array([1, 47, 2])], overwrite: 'never' },
  'restore.retry': { restoreId: 'a-1' },
  'restore.pause': { restoreId: 'a-1' },
  'restore.resume': { restoreId: 'a-1' },
  'restore.stop': { restoreId: 'a-1' },
  'restore.dismiss': { restoreId: 'a-1' },
  'settings.set': { language: 'de', theme: 'dark', uploadBytesPerSecond: null, limitTimes: [{ days: [6, 7], from: '22:00', to: '06:00', downloadBytesPerSecond: 5 }] },
  'folder.open': { type: 'logs' },
  'notice.dismiss': { id: 'x' },
}

const ports = { onInternal: () => undefined, pace: noPace }

it('every channel has exactly one handler', () => {
  const none = {} as never
  const all = [jobHandlers(none), copyHandlers(none), historyHandlers(none), supportHandlers({ home: '/nowhere' } as never), repositoryHandlers(none), reportHandlers(none), driveHandlers(none), rotationHandlers(none), sourceHandlers(none), visitHandlers(none), kitHandlers(none), filesHandlers(none, () => undefined), accountHandlers(none), settingsHandlers(none), windowHandlers(none)].flatMap((one) => Object.keys(one))
  expect([...all].sort()).toEqual([...channels].sort())
})

describe.each(channels)('%s', (channel) => {
  it('passes a valid request on as it is', async () => {
    const { handlers, given } = recording(() => 'answer')
    expect(await reply(handlers, channel, valid[channel], ports)).toEqual({ ok: true, value: 'answer' })
    expect(given).toEqual([[channel, valid[channel]]])
  })

  it('refuses anything else before its handler hears of it', async () => {
    const { handlers, given } = recording()
    const anything = fc.anything().filter((value) => !v.safeParse(requests[channel], value).success)
    await fc.assert(fc.asyncProperty(anything, async (value) => {
      expect(await reply(handlers, channel, value, ports)).toMatchObject({ ok: false, error: { code: 'arguments' } })
    }), { numRuns: 30 })
    expect(given).toEqual([])
  })
})

const without = (value: object, key: string): object => Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))

it.each([
  ['a path as a source', 'job.add', { config: { ...input, sources: ['docs'] }, secrets }],
  ['a path as a destination', 'job.add', { config: { ...input, destination: { type: 'folder', path: '/backup' } }, secrets }],
  ['a folder with a path of the window’s own', 'job.add', { config: { ...input, sources: [{ id: 'a', path: '/etc' }] }, secrets }],
  ['a thousand and one sources', 'job.add', { config: { ...input, sources: Array.from({ length: 1001 }, () => ({ id: 'a' })) }, secrets }],
  ['the same exclude for ever', 'job.add', { config: { ...input, excludes: { ...input.excludes, presets: Array.from({ length: 20 }, () => 'trash') } }, secrets }],
  ['one more key', 'job.run', { jobId: 'a-1', force: true }],
  ['more bytes of paths than any choice has', 'restore.start', { ...(valid['restore.start'] as object), paths: Array.from({ length: 600 }, () => new Uint8Array(16_000)) }],
  ['no source', 'job.add', { config: { ...input, sources: [] }, secrets }],
  ['a name with a slash', 'job.add', { config: { ...input, name: '../x' }, secrets }],
  ['a name with a space at its end', 'job.add', { config: { ...input, name: 'docs ' }, secrets }],
  ['credentials in an endpoint', 'job.add', { config: { ...input, destination: { type: 'provider', provider: 's3', values: { bucket: 'bucket', endpoint: 'https://user:pw@host' } } }, secrets }],
  ['no bucket', 'job.add', { config: { ...input, destination: { type: 'provider', provider: 's3', values: {} } }, secrets }],
  ['an unknown storage', 'job.add', { config: { ...input, destination: { type: 'provider', provider: 'constructor', values: {} } }, secrets }],
  ['an old S3 destination', 'job.add', { config: { ...input, destination: { type: 's3', bucket: 'bucket', prefix: '' } }, secrets }],
  ['keys that are no words', 'job.add', { config: input, secrets: { password: 'p', storage: { 'a b': 'x' } } }],
  ['more keys than any storage asks for', 'job.add', { config: input, secrets: { password: 'p', storage: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`k${at}`, 'x'])) } }],
  ['a key without end', 'job.add', { config: input, secrets: { password: 'p', storage: { key: 'x'.repeat(40_000) } } }],
  ['an impossible time', 'job.add', { config: { ...input, schedule: { type: 'daily', at: '24:00' } }, secrets }],
  ['an interval of no time', 'job.add', { config: { ...input, schedule: { type: 'interval', minutes: 14 } }, secrets }],
  ['an interval for life', 'job.add', { config: { ...input, schedule: { type: 'interval', minutes: 44_641 } }, secrets }],
  ['days in disorder', 'job.add', { config: { ...input, schedule: { type: 'times', days: [2, 1], at: ['10:00'] } }, secrets }],
  ['a time twice', 'job.add', { config: { ...input, schedule: { type: 'times', days: [1], at: ['10:00', '10:00'] } }, secrets }],
  ['no day', 'job.add', { config: { ...input, schedule: { type: 'times', days: [], at: ['10:00'] } }, secrets }],
  ['an eighth day', 'job.add', { config: { ...input, schedule: { type: 'times', days: [8], at: ['10:00'] } }, secrets }],
  ['a cron expression that is none', 'job.add', { config: { ...input, schedule: { type: 'cron', expression: '1 2 3 4 five' } }, secrets }],
  ['one whose time never comes', 'job.add', { config: { ...input, schedule: { type: 'cron', expression: '0 0 30 2 *' } }, secrets }],
  ['one that never rests', 'job.add', { config: { ...input, schedule: { type: 'cron', expression: '* * * * *' } }, secrets }],
  ['one without end', 'job.add', { config: { ...input, schedule: { type: 'cron', expression: `0 ${'1,'.repeat(9_999)}1 * * *` } }, secrets }],
  ['a battery that is never full enough', 'job.add', { config: { ...input, conditions: { batteryAbove: 100 } }, secrets }],
  ['a condition of its own', 'job.add', { config: { ...input, conditions: { never: true } }, secrets }],
  ['networks without a name', 'job.add', { config: { ...input, conditions: { networks: { rule: 'only', names: [] } } }, secrets }],
  ['networks without end', 'job.add', { config: { ...input, conditions: { networks: { rule: 'only', names: Array.from({ length: 21 }, (_, at) => `n${at}`) } } }, secrets }],
  ['a rule that keeps nothing', 'job.add', { config: { ...input, retention: { last: 0 } }, secrets }],
  ['half a snapshot', 'job.add', { config: { ...input, retention: { daily: 1.5 } }, secrets }],
  ['a rule of its own', 'job.add', { config: { ...input, retention: { last: 1, despiteUnusual: 1 } }, secrets }],
  ['a rule that is there and is none', 'job.add', { config: { ...input, retention: { last: undefined } }, secrets }],
  ['no time at all', 'job.add', { config: { ...input, retention: { withinMs: 0 } }, secrets }],
  ['no space at all', 'job.add', { config: { ...input, retention: { budgetBytes: 0 } }, secrets }],
  ['too many uploads', 'job.add', { config: { ...input, concurrency: 33 }, secrets }],
  ['no excludes', 'job.add', { config: without(input, 'excludes'), secrets }],
  ['a path as a target', 'restore.start', { ...(valid['restore.start'] as object), target: '/out' }],
  ['a path as text', 'restore.start', { ...(valid['restore.start'] as object), paths: ['x'] }],
  ['a time without a day', 'settings.set', { limitTimes: [{ days: [], from: '08:00', to: '09:00' }] }],
  ['a time that is none', 'settings.set', { limitTimes: [{ days: [1], from: '08:00', to: '24:00' }] }],
  ['a time with a limit of nothing', 'settings.set', { limitTimes: [{ days: [1], from: '08:00', to: '09:00', uploadBytesPerSecond: 0 }] }],
  ['times without end', 'settings.set', { limitTimes: Array.from({ length: 13 }, () => ({ days: [1], from: '08:00', to: '09:00' })) }],
  ['a limit of nothing', 'settings.set', { uploadBytesPerSecond: 0 }],
  ['a second recipient in one', 'mail.set', { server: { host: 'h', port: 25, security: 'tls', from: 'a@b', to: ['a@b\r\nBcc: x@y'] } }],
  ['a mail server without TLS', 'mail.set', { server: { host: 'h', port: 25, security: 'none', from: 'a@b', to: ['a@b'] } }],
  ['a host that is more than one', 'mail.set', { server: { host: 'h:25/x', port: 25, security: 'tls', from: 'a@b', to: ['a@b'] } }],
  ['recipients without end', 'mail.set', { server: { host: 'h', port: 25, security: 'tls', from: 'a@b', to: Array.from({ length: 11 }, () => 'a@b') } }],
  ['a file of its own', 'logs.page', { filter: {}, limit: 1, before: '../../secrets.json' }],
  ['lines without end', 'logs.copy', { lines: Array.from({ length: 1001 }, () => '0123456789abcdef-0') }],
  ['a path of one’s own', 'folder.open', { type: 'path', path: '/etc' }],
] as const)('%s is refused', async (_name, channel, request) => {
  const { handlers, given } = recording()
  expect(await reply(handlers, channel, request, ports)).toMatchObject({ ok: false, error: { code: 'arguments' } })
  expect(given).toEqual([])
})

it('the refusal names the field and quotes nothing of it', async () => {
  const { handlers } = recording()
  const answer = await reply(handlers, 'job.add', { config: input, secrets: { password: 12345678 } }, ports)
  expect(answer).toMatchObject({ error: { data: { field: 'secrets.password' } } })
  expect(JSON.stringify(answer)).not.toContain('12345678')
})

describe('what goes wrong in a handler', () => {
  const failing = (error: unknown): Handlers => recording(() => { throw error }).handlers

  it('keeps its code and data on the way', async () => {
    expect(await reply(failing(new MainError('busy', 'b', { field: 'x' })), 'state.get', undefined, ports)).toEqual({ ok: false, error: { code: 'busy', message: 'b', retryable: false, data: { field: 'x' } } })
    const wire = { code: 'offline', message: 'o', retryable: true } as const
    expect(await reply(failing(new EngineError(wire)), 'state.get', undefined, ports)).toEqual({ ok: false, error: wire })
  })

  it('is told to the log and not to the window when it is our defect', async () => {
    const logged: unknown[] = []
    const answer = await reply(failing(new TypeError('password is hunter2')), 'state.get', undefined, { pace: noPace, onInternal: (channel, error) => { logged.push([channel, error]) } })
    expect(answer).toMatchObject({ ok: false, error: { code: 'internal' } })
    expect(JSON.stringify(answer)).not.toContain('hunter2')
    expect(logged).toHaveLength(1)
  })
})
