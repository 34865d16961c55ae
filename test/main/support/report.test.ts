import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strFromU8, unzipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { supportHandlers } from '../../../main/support/handlers.ts'
import { repositoryUrl } from '../../../main/repositories/address.ts'
import { SupportReports } from '../../../main/support/report.ts'
import { LogFiles } from '../../../main/system/logs.ts'
import { providers } from '../../../main/api/providers.ts'
import { exampleValues } from '../../engine/protocol/providers/example-values.ts'
import { rejects, setUp } from '../jobs/handlers-world.ts'

const password = 'tulip "gravel" ömen lamp'
const words = 'abandon ability able about above absent absorb abstract absurd abuse access accident'
const userinfo = 'https://mia:s3cr3t-in-url@nas.example.org/dav?sig=q1w2e3r4t5z6u7i8o9'
const folders = ['/home/mia/Scheidung 2026', '/media/mia/Blaue Platte']

/** A key of each kind that storages ask for, and no other text is like it. */
const keyOf = (provider: string, name: string): string => (name.toLowerCase().includes('json') || name === 'privateKey' ? `{"private_key":"-----BEGIN KEY-----\\nkey of ${provider} ${name} 0123456789\\n"}` : `Key-${provider}+${name}/0123=`)

function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), encodeURIComponent(secret).replaceAll('%20', '+'), bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), bytes.toString('hex')]
}

/** A world with a job for each storage, all with keys, and with all that must not be told in the log. */
async function telling() {
  const world = setUp()
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-support ä-'))
  const logs = new LogFiles(join(folder, 'logs'))
  const secrets: string[] = [password]
  const docs = await world.add('docs')
  await world.reports.set(docs, { kind: 'ping', address: 'https://hc.example.net/b7a1-secret-t0ken' })
  secrets.push('b7a1-secret-t0ken')
  await world.mail.setServer({ host: 'smtp.mail-host.example', port: 465, security: 'tls', user: 'smtp-user-7', from: 'from@example.org', to: ['to@example.org'] }, 'mail pässword 1')
  secrets.push('mail pässword 1')
  for (const provider of providers) {
    const storage = Object.fromEntries(provider.secrets.map(({ name }) => [name, keyOf(provider.id, name)]))
    secrets.push(...Object.values(storage))
    const record = await world.store.add({ ...world.store.get(docs).config, name: `job ${provider.id}`, sources: [folders[0] ?? ''], destination: { type: 'provider', provider: provider.id, values: exampleValues(provider) } })
    await world.secrets.set(record.repository.id, repositoryUrl(record.config.destination), { password, storage })
  }
  const log = (message: string, context: object = {}): void => { logs.write({ time: 1000, level: 'warning', message, context }) }
  for (const secret of secrets) for (const spelled of spellings(secret)) {
    log(`the storage said: ${spelled}`)
    log(`the storage said: "${spelled}" and`, { job: 'docs', run: 'r-1', file: spelled, object: spelled })
  }
  log(`GET ${userinfo} failed`)
  log(`typed ${words}`)
  log(`cannot read ${folders[0]}/Brief an Anwalt.odt: EACCES`, { job: 'docs', file: `${folders[0]}/Brief an Anwalt.odt` })
  log('smtp-user-7 wrote')
  log('Authorization: Bearer ya29.a0AfH6SMBx-yZ connect to 192.168.7.31 as mia@example.org')
  const saved = join(folder, 'out dir', 'report.zip')
  mkdirSync(join(folder, 'out dir'))
  const handlers = supportHandlers({
    ...world, home: join(folder, 'home'), version: '1.2.3', logs, settings: { value: { theme: 'dark', notifications: 'all', parallelJobs: 2, defaultConcurrency: 4, firstSuccessShown: true, dismissed: ['secret-notice'] } as never },
    accounts: { view: { list: [{ name: 'mia.m@example.com', login: 'Mia M' }] } }, copy: () => undefined, saveFile: async () => saved, now: () => 1e12,
  })
  mkdirSync(join(folder, 'home'))
  return { ...world, folder, logs, log, secrets, saved, handlers, docs }
}

async function whole(handlers: ReturnType<typeof supportHandlers>, name: string): Promise<string> {
  let text = ''
  for (let from: number | undefined = 0; from !== undefined;) {
    const page: { readonly text: string; readonly next?: number } = await handlers['support.read']({ name, from })
    text += page.text
    from = page.next
  }
  return text
}

describe.each([false, true])('a report with names of folders: %s', (names) => {
  it('holds no secret of any storage in any spelling, and exactly what was shown', async () => {
    const world = await telling()
    const { files } = await world.handlers['support.make']({ names })
    expect(files.map(({ name }) => name)).toEqual(['read-me.txt', 'system.json', 'jobs.json', 'log.jsonl'])
    expect(await world.handlers['support.save']()).toEqual({ done: true })
    expect(statSync(world.saved).mode & 0o777).toBe(0o600)
    const zip = unzipSync(readFileSync(world.saved))
    for (const { name, bytes } of files) {
      const saved = strFromU8(zip[`holdfast-report/${name}`] ?? new Uint8Array())
      expect(Buffer.byteLength(saved)).toBe(bytes)
      expect(await whole(world.handlers, name)).toBe(saved)
    }
    const all = Object.values(zip).map((one) => strFromU8(one)).join('\n') + readFileSync(world.saved, 'latin1')
    for (const secret of world.secrets) for (const spelled of spellings(secret)) expect(all.includes(spelled), spelled).toBe(false)
    for (const telltale of [words, 's3cr3t-in-url', 'q1w2e3r4', 'ya29', '192.168.7.31', 'mia@example.org', 'nas.example.org', 'hc.example.net', 'smtp-user-7', 'mail-host', 'secret-notice']) expect(all.includes(telltale), telltale).toBe(false)
    for (const provider of providers) for (const value of Object.values(exampleValues(provider))) if (/[.@/:]/.test(value)) expect(all.includes(value), value).toBe(false)
    for (const name of ['Scheidung', 'Brief an Anwalt', 'docs']) expect(all.includes(name), name).toBe(names)
    expect(all).toContain('1.2.3')
    expect(all).toContain('EACCES')
    await world.handlers['support.discard']()
    expect(readdirSync(join(world.folder, 'home'))).toEqual([])
  })
})

it('tells the newest part of a long log, in its order, and holds nothing of it back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-support-'))
  const logs = new LogFiles(join(folder, 'logs'))
  for (let index = 0; index < 140; index++) logs.write({ time: index, level: 'info', message: `line ${index} ${'a b '.repeat(20_000)}`, context: {} })
  const reports = new SupportReports({ folder: join(folder, 'r'), logs, source: () => ({ facts: {}, settings: {} as never, jobs: [], copies: [], runs: () => [] }), known: () => ({ secrets: [], folders: [], jobs: [], names: [] }), now: () => 0, mostLogBytes: 8e6 })
  await reports.make(false)
  const told = readFileSync(join(folder, 'r/log.jsonl'), 'utf8').trim().split('\n').map((line) => Number((JSON.parse(line) as { message: string }).message.split(' ')[1]))
  expect(told.at(-1)).toBe(139)
  expect(told).toEqual(Array.from({ length: told.length }, (_, index) => 140 - told.length + index))
  expect(told.length).toBeGreaterThan(90)
  expect(told.length).toBeLessThan(105)
  await logs.close()
})

it('is saved nowhere where nobody chooses, replaces no file by half of one, and is not there once it is discarded', async () => {
  const world = await telling()
  await rejects(world.handlers['support.save'](), { code: 'not-found' })
  await world.handlers['support.make']({ names: false })
  writeFileSync(world.saved, 'mine')
  expect(await world.handlers['support.save']()).toEqual({ done: true })
  expect(readFileSync(world.saved).subarray(0, 2).toString()).toBe('PK')
  expect(readdirSync(join(world.folder, 'out dir'))).toEqual(['report.zip'])
  await rejects(world.handlers['support.read']({ name: '../logs/holdfast.jsonl', from: 0 }), { code: 'not-found' })
  await world.handlers['support.discard']()
  await rejects(world.handlers['support.read']({ name: 'log.jsonl', from: 0 }), { code: 'not-found' })
})
