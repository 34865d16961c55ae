import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { RunView } from '../../../main/api/contract.ts'
import type { MailServer } from '../../../main/api/mail-views.ts'
import type { JobRecord } from '../../../main/jobs/store.ts'
import { Mail, type MailPorts } from '../../../main/mail/mail.ts'
import { openMailFile } from '../../../main/mail/store.ts'
import { openSecrets } from '../../../main/settings/secrets.ts'
import { FakeTimers, noCounters } from '../fakes.ts'
import { mailPassword, mailUser, newCertificate, openMailServer } from './mail-server.ts'

const certificate = newCertificate()
const patiently = { timeout: 10_000 }
const hour = 3_600_000

function run(id: string, outcome: RunView['outcome'], more: Partial<RunView> = {}): RunView {
  return { id, jobId: 'j1', operation: 'backup', trigger: 'manual', outcome, startedMs: 1000, finishedMs: 61_000, files: { ...noCounters, found: 7 }, bytes: { ...noCounters, found: 2048 }, uploadedBytes: 512, downloadedBytes: 0, adoptedPacks: 0, problems: outcome === 'warnings' ? 2 : 0, restarts: 0, ...more }
}

const record = { id: 'j1', config: { name: 'docs' }, host: 'mia-laptop' } as JobRecord

function open(folder = mkdtempSync(join(tmpdir(), 'holdfast-mail ü-')), more: Partial<MailPorts> = {}, timers = new FakeTimers()) {
  const now = (): number => timers.now()
  const told: string[] = []
  const jobs = [record]
  const runs: RunView[] = []
  const cipher = { kind: 'file' as const, seal: (text: string) => Buffer.from(text).reverse(), open: (bytes: Uint8Array) => Buffer.from(bytes).reverse().toString() }
  const { store: secrets } = openSecrets(join(folder, 'secrets.json'), [cipher], now)
  const mail = new Mail({
    file: openMailFile(join(folder, 'mail.json'), now), secrets, timers, host: 'other', jobs: () => jobs, runs: () => runs, log: (_level, message) => { told.push(message) }, onChange: () => undefined,
    send: { trusted: certificate.cert, wholeMs: 5_000, answerMs: 2_000 }, ...more,
  })
  return { folder, timers, told, jobs, runs, mail, secrets, kept: () => JSON.parse(readFileSync(join(folder, 'mail.json'), 'utf8')) as { data: { waiting: { id: string; trying?: boolean }[] } } }
}

const to = (port: number, more: Partial<MailServer> = {}): MailServer => ({ host: 'localhost', port, security: 'starttls', user: mailUser, from: 'holdfast@example.org', to: ['mia@example.org'], ...more })
/** Their subjects, as a reader shows them. */
const subjects = (got: readonly { readonly text: string }[]): readonly string[] => got.map(({ text }) => {
  const [, raw = ''] = /^Subject: (.*?)\r\n(?! )/ms.exec(text) ?? []
  return raw.replaceAll(/\?=\s+=\?UTF-8\?Q\?/g, '').replaceAll(/=\?UTF-8\?Q\?(.*?)\?=/g, (_whole, words: string) => decodeURIComponent(words.replaceAll('_', ' ').replaceAll('%', '=25').replaceAll('=', '%')))
})

it.each([
  ['failure', ['failed', 'partial']],
  ['warning', ['warnings', 'failed', 'partial']],
  ['always', ['success', 'unchanged', 'warnings', 'failed', 'partial', 'stopped']],
  ['weekly', []],
] as const)('%s: tells of %j', async (when, expected) => {
  await using server = await openMailServer(certificate)
  const { mail } = open()
  await mail.setServer(to(server.port), mailPassword)
  await mail.choose('j1', when)
  for (const outcome of ['success', 'unchanged', 'warnings', 'failed', 'partial', 'stopped'] as const) mail.ended(run(outcome, outcome), record)
  await expect.poll(() => server.got.length, patiently).toBe(expected.length)
  expect(server.got.map(({ text }) => /^Message-ID: <(\w+)@/m.exec(text)?.[1])).toEqual(expected)
  expect(mail.view?.failed).toBeUndefined()
})

it('says how it ended, and no path, message or address', async () => {
  await using server = await openMailServer(certificate)
  const { mail } = open()
  await mail.setServer(to(server.port), mailPassword)
  await mail.choose('j1', 'failure')
  mail.ended(run('r-1', 'failed', { error: { code: 'denied', message: 'no access to /home/u/secret', retryable: false } }), record)
  await expect.poll(() => server.got.length, patiently).toBe(1)
  expect(subjects(server.got)[0]).toContain('on mia-laptop: failed (denied)')
  expect(server.got[0]?.text).toContain('Files:     7')
  expect(server.got[0]?.text).not.toMatch(/secret|\/home/)
})

it('of a run nobody hears twice, also after a restart', async () => {
  await using server = await openMailServer(certificate)
  const first = open()
  await first.mail.setServer(to(server.port), mailPassword)
  await first.mail.choose('j1', 'always')
  first.mail.ended(run('r-1', 'success'), record)
  first.mail.ended(run('r-1', 'success'), record)
  await expect.poll(() => server.got.length, patiently).toBe(1)
  await expect.poll(() => first.kept().data.waiting, patiently).toEqual([])
  await first.mail.close()
  const second = open(first.folder)
  second.mail.ended(run('r-1', 'success'), record)
  second.mail.ended(run('r-2', 'success'), record)
  await expect.poll(() => server.got.length, patiently).toBe(2)
  expect(server.got[1]?.text).toContain('<r-2@')
  await second.mail.close()
})

it('a message that waits goes on after a restart; one that may have arrived does not', async () => {
  const first = open()
  await first.mail.setServer(to(9), mailPassword)
  await first.mail.choose('j1', 'always')
  first.mail.ended(run('r-1', 'success'), record)
  await expect.poll(() => first.mail.view?.failed, patiently).toMatchObject({ reason: 'offline', givenUp: false })
  await first.mail.close()
  await using server = await openMailServer(certificate)
  const second = open(first.folder, {}, new FakeTimers(first.timers.now()))
  await second.mail.setServer(to(server.port), mailPassword)
  await expect.poll(() => server.got.length, patiently).toBe(1)
  await second.mail.close()

  await using hanging = await openMailServer(certificate, { hang: true })
  const third = open(first.folder)
  await third.mail.setServer(to(hanging.port), mailPassword)
  third.mail.ended(run('r-2', 'success'), record)
  await expect.poll(() => third.kept().data.waiting, patiently).toMatchObject([{ id: 'r-2', trying: true }])
  // As after a crash: what is on disk is all that the next start has.
  const fourth = open(third.folder, { secrets: third.secrets })
  expect(fourth.mail.view?.failed).toMatchObject({ reason: 'unsure', givenUp: true })
  expect(fourth.told[0]).toContain('may not have arrived')
  await expect.poll(() => fourth.kept().data.waiting, patiently).toEqual([])
  await fourth.mail.close()
  await third.mail.close()
})

it('is tried again with pauses between, and given up in the end', async () => {
  const { mail, timers, told } = open()
  await mail.setServer(to(9), mailPassword)
  await mail.choose('j1', 'always')
  mail.ended(run('r-1', 'success'), record)
  await expect.poll(() => told.length, patiently).toBe(1)
  for (const [at, pause] of [60_000, 5 * 60_000, 20 * 60_000, hour, 3 * hour, 8 * hour].entries()) {
    await timers.advance(pause - 1)
    expect(told.length).toBe(at + 1)
    await timers.advance(1)
    await expect.poll(() => told.length, patiently).toBe(at + 2)
  }
  expect(mail.view?.failed).toMatchObject({ reason: 'offline', givenUp: true })
  await timers.advance(48 * hour)
  expect(told.length).toBe(7)
})

it('what cannot help is not tried again, and a later message is sent all the same', async () => {
  await using server = await openMailServer(certificate)
  const { mail, told } = open()
  await mail.setServer(to(server.port), 'wrong')
  await mail.choose('j1', 'always')
  mail.ended(run('r-1', 'success'), record)
  await expect.poll(() => mail.view?.failed, patiently).toMatchObject({ reason: 'credentials', givenUp: true })
  await mail.setServer(to(server.port), mailPassword)
  expect(mail.view?.failed).toBeUndefined()
  mail.ended(run('r-2', 'success'), record)
  await expect.poll(() => server.got.length, patiently).toBe(1)
  expect(told).toEqual(['a message was not sent: credentials'])
})

it('once a week all are told of in one message, a job that did not run as well', async () => {
  await using server = await openMailServer(certificate)
  const { mail, timers, runs, jobs } = open()
  jobs.push({ id: 'j2', config: { name: 'photos' } } as JobRecord)
  await mail.setServer(to(server.port), mailPassword)
  await mail.choose('j1', 'weekly')
  const start = timers.now()
  runs.push(run('r-2', 'failed', { finishedMs: start + hour, error: { code: 'full', message: 'x', retryable: false } }), run('r-1', 'success', { finishedMs: start + 1 }), run('r-0', 'success', { finishedMs: start - 1 }))
  await timers.advance(7 * 24 * hour - 1)
  expect(server.got).toEqual([])
  await timers.advance(10 * 60_000)
  await expect.poll(() => server.got.length, patiently).toBe(1)
  const text = server.got[0]?.text.replaceAll('=\r\n', '') ?? ''
  expect(text).toMatch(/on mia-laptop: 1 of 2 runs well; the last one, .*: failed \(full\)/)
  expect(subjects(server.got)[0]).toContain('backups are well')
  await mail.choose('j2', 'weekly')
  runs.length = 0
  await timers.advance(7 * 24 * hour + 10 * 60_000)
  await expect.poll(() => server.got.length, patiently).toBe(2)
  expect(server.got[1]?.text.replaceAll('=\r\n', '')).toMatch(/on other: no run at all/)
  expect(subjects(server.got)[1]).toContain('2 of 2 backups without success this week')
})

it('a password goes to no other server, and goes with the server', async () => {
  const { mail } = open()
  await mail.setServer(to(25), mailPassword)
  expect(mail.password).toBe(mailPassword)
  for (const other of [to(26), to(25, { host: 'evil.example' }), to(25, { user: 'other' }), to(25, { security: 'tls' })]) await expect(mail.setServer(other, undefined)).rejects.toMatchObject({ code: 'arguments', data: { field: 'password' } })
  await mail.setServer(to(25, { to: ['ops@example.org'] }), undefined)
  expect(mail.password).toBe(mailPassword)
  await mail.removeServer()
  expect(mail.view).toBeUndefined()
  await expect(mail.setServer(to(25), undefined)).rejects.toMatchObject({ code: 'arguments' })
  await expect(mail.test()).rejects.toMatchObject({ code: 'not-found' })
})

it('a job that was removed is told of no more', async () => {
  const { mail, jobs, timers } = open()
  await mail.setServer(to(25), mailPassword)
  await mail.choose('j1', 'always')
  jobs.length = 0
  await timers.advance(10 * 60_000)
  expect(mail.view?.jobs).toEqual({})
})

it('no more wait than can be sent some day', async () => {
  const { mail, kept, told } = open(undefined, { send: { wholeMs: 50, answerMs: 50 } })
  await mail.setServer(to(9, { host: '127.0.0.1' }), mailPassword)
  await mail.choose('j1', 'always')
  for (let at = 0; at < 130; at++) mail.ended(run(`r-${at}`, 'success'), record)
  await expect.poll(() => kept().data.waiting.length, patiently).toBeLessThanOrEqual(100)
  expect(told.filter((line) => line.includes('the oldest is dropped')).length).toBeGreaterThan(25)
  await mail.close()
})
