import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { markOf } from '../../../engine/accounts/tokens.ts'
import { Accounts, type AccountPorts } from '../../../main/accounts/accounts.ts'
import { accountHandlers } from '../../../main/accounts/handlers.ts'
import { declined } from '../../../main/authority/ask.ts'
import type { Question } from '../../../main/authority/questions.ts'
import { CopyStore } from '../../../main/repositories/copies.ts'
import { keyFileCipher, type SecretCipher } from '../../../main/settings/ciphers.ts'
import { backupJob, syncJob } from '../fakes.ts'
import { config } from '../jobs/world.ts'
import { appKey, appSecret, browse, OAuthServer } from '../../servers/oauth.ts'

interface World extends AsyncDisposable {
  readonly server: OAuthServer
  readonly folder: string
  readonly accounts: Accounts
  /** Addresses that the system's browser was told to open. */
  readonly opened: string[]
  readonly signedIn: () => number
  open(more?: Partial<AccountPorts>): Promise<Accounts>
}

async function setUp(more: Partial<AccountPorts> = {}): Promise<World> {
  const server = await OAuthServer.start()
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-main-accounts-'))
  const opened: string[] = []
  let signedIn = 0
  const open: World['open'] = (changes = {}) => Accounts.open({
    path: join(folder, 'app-accounts.json'),
    ciphers: [keyFileCipher(join(folder, 'secrets.key'))],
    builtKeysFile: join(folder, 'app-keys.json'),
    environment: server.environment,
    openBrowser: async (address) => {
      opened.push(address)
      await browse(address)
    },
    log: () => undefined,
    onChange: () => undefined,
    onSignedIn: () => { signedIn += 1 },
    ...more,
    ...changes,
  })
  return {
    server, folder, opened, open,
    accounts: await open(),
    signedIn: () => signedIn,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const job = (repository: string) => ({ ...backupJob, repository })
const drive = 'gdrive:/photos?account=anna%40example.org'

describe('the app\'s accounts', () => {
  it('are signed in to in the browser, sealed on disk, and there again at the next start', async () => {
    await using world = await setUp()
    const { accounts } = world
    expect(accounts.view).toEqual({ list: [], available: ['dropbox', 'google', 'microsoft', 'box'] })
    expect(accounts.missing(drive)).toEqual({ service: 'google', account: 'anna@example.org' })
    expect(await accounts.signIn('google', undefined)).toMatchObject({ service: 'google', name: 'anna@example.org', login: 'anna@example.org', state: 'signed-in' })
    // Arguments of a program can be read by every user of the machine: neither the page nor its state is among them.
    expect(world.opened).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/begin\/[\w-]{43}$/)])
    expect(world.signedIn()).toBe(1)
    expect(accounts.missing(drive)).toBeUndefined()
    expect(await readFile(join(world.folder, 'app-accounts.json'), 'utf8')).not.toMatch(/refresh-|access-/)
    const later = await world.open()
    expect(later.view).toEqual(accounts.view)
    const answer = await later.token(job(drive), { service: 'google', name: 'anna@example.org' }, undefined)
    expect(world.server.personOf(answer.type === 'token' ? answer.token.accessToken : '')).toEqual(world.server.person)
  })

  it('have one key for the transfers of all addresses that mean them', async () => {
    await using world = await setUp()
    const { accounts, server } = world
    const keyOf = (address: string, key: string): string => accounts.sharedKey(job(address), key)
    expect(keyOf('dropbox:/x', 'dropbox:')).toBe('dropbox:')
    for (const [service, provider] of [['dropbox', 'dropbox'], ['google', 'gdrive'], ['microsoft', 'onedrive'], ['box', 'box']] as const) {
      const { name } = await accounts.signIn(service, undefined)
      const addresses = [`${provider}:/x`, `${provider}:/y?account=${encodeURIComponent(name)}`, `faulty+${provider}:/z?account=${encodeURIComponent(name.toUpperCase())}`]
      expect(new Set(addresses.map((address) => keyOf(address, `${provider}:${new URLSearchParams(address.split('?')[1]).get('account') ?? ''}`)))).toEqual(new Set([`${provider}:${name}`]))
    }
    expect(keyOf('s3://bucket', 's3:x')).toBe('s3:x')
    expect(keyOf('/folder', 'local:1')).toBe('local:1')
    server.person = { id: 'id-bob', login: 'bob@example.org' }
    const { name } = await accounts.signIn('dropbox', undefined)
    // Which of two is meant cannot be told, and no token is given out.
    expect(keyOf('dropbox:/x', 'dropbox:')).toBe('dropbox:')
    expect(keyOf(`dropbox:/x?account=${encodeURIComponent(name.toUpperCase())}`, `dropbox:${name.toUpperCase()}`)).toBe(`dropbox:${name}`)
  })

  it('give an engine tokens of the account that its own address names, and of no other', async () => {
    await using world = await setUp()
    const { accounts, server } = world
    await accounts.signIn('google', undefined)
    server.person = { id: 'id-bob', login: 'bob@example.org' }
    await accounts.signIn('google', undefined)
    await accounts.signIn('box', undefined)
    const denied = { type: 'refused', error: { code: 'denied' } }
    for (const [address, asked] of [
      [drive, { service: 'google', name: 'bob@example.org' }], [drive, { service: 'box', name: 'bob@example.org' }], [drive, { service: 'google' }],
      ['s3://bucket/x', { service: 'google', name: 'bob@example.org' }], ['/a/folder', { service: 'box' }],
    ] as const) expect(await accounts.token(job(address), asked, undefined)).toMatchObject(denied)
    expect(await accounts.token(job(drive), { service: 'google', name: 'anna@example.org' }, undefined)).toMatchObject({ type: 'token' })
  })

  it('of both ends of a sync are for its engine, each with its own tokens and under its own key', async () => {
    await using world = await setUp()
    const { accounts, server } = world
    await accounts.signIn('google', undefined)
    server.person = { id: 'id-bob', login: 'bob@example.org' }
    await accounts.signIn('google', undefined)
    const { name: box } = await accounts.signIn('box', undefined)
    const sync = { ...syncJob, from: drive, repository: 'box:/copy' }
    const [anna, bob] = [{ service: 'google', name: 'anna@example.org' }, { service: 'google', name: 'bob@example.org' }] as const
    const answer = await accounts.token(sync, anna, undefined)
    expect(server.personOf(answer.type === 'token' ? answer.token.accessToken : '')).toMatchObject({ login: 'anna@example.org' })
    expect(await accounts.token(sync, { service: 'box' }, undefined)).toMatchObject({ type: 'token' })
    for (const asked of [bob, { service: 'google' }, { service: 'box', name: box }] as const) expect(await accounts.token(sync, asked, undefined)).toMatchObject({ type: 'refused', error: { code: 'denied' } })
    expect(['gdrive:anna@example.org', 'box:', 'local:1'].map((key) => accounts.sharedKey(sync, key))).toEqual(['gdrive:anna@example.org', `box:${box}`, 'local:1'])
    const within = { ...sync, repository: `gdrive:/copy?account=${encodeURIComponent('BOB@example.org')}` }
    expect(await accounts.token(within, { service: 'google', name: 'BOB@example.org' }, undefined)).toMatchObject({ type: 'token' })
    expect(['gdrive:anna@example.org', 'gdrive:BOB@example.org'].map((key) => accounts.sharedKey(within, key))).toEqual(['gdrive:anna@example.org', 'gdrive:bob@example.org'])
  })

  it('tell engines and people once that a consent is over, and take the same person again, but no other', async () => {
    await using world = await setUp()
    const { accounts, server } = world
    await accounts.signIn('google', undefined)
    const account = { service: 'google', name: 'anna@example.org' } as const
    const first = await accounts.token(job(drive), account, undefined)
    server.withdraw()
    const answer = await accounts.token(job(drive), account, markOf(first.type === 'token' ? first.token.accessToken : ''))
    expect(answer).toMatchObject({ type: 'refused', error: { code: 'credentials', retryable: false, data: { signIn: true, service: 'google', account: 'anna@example.org' } } })
    const error = answer.type === 'refused' ? answer.error : undefined
    expect([accounts.isNews(error), accounts.isNews(error), accounts.isNews(undefined)]).toEqual([true, false, true])
    expect(accounts.view.list).toMatchObject([{ state: 'sign-in-again' }])
    expect(accounts.missing(drive)).toEqual({ service: 'google', account: 'anna@example.org' })
    const { renewals } = server
    await accounts.token(job(drive), account, undefined)
    expect(server.renewals).toBe(renewals)
    server.person = { id: 'id-bob', login: 'bob@example.org' }
    await expect(accounts.signIn('google', 'anna@example.org')).rejects.toMatchObject({ wire: { code: 'denied', data: { reason: 'other-account' } } })
    expect(accounts.view.list).toHaveLength(1)
    server.person = { id: 'id-anna', login: 'anna@example.org' }
    await accounts.signIn('google', 'anna@example.org')
    expect(accounts.view.list).toMatchObject([{ name: 'anna@example.org', state: 'signed-in' }])
    expect(accounts.isNews(error)).toBe(true)
  })

  it('that were signed out of are signed in to again as whose they were, where their name says so', async () => {
    await using world = await setUp()
    await expect(world.accounts.signIn('google', 'bob@example.org')).rejects.toMatchObject({ code: 'denied', data: { reason: 'other-account' } })
    expect(world.accounts.view.list).toEqual([])
    expect(await world.accounts.signIn('google', 'Anna@example.org')).toMatchObject({ name: 'Anna@example.org', login: 'anna@example.org' })
    expect(await world.accounts.signIn('box', 'family')).toMatchObject({ name: 'family', login: 'anna@example.org' })
  })

  it('show that a sign-in waits, let it be given up, and another take its place', async () => {
    await using world = await setUp({ openBrowser: () => Promise.resolve() })
    const { accounts } = world
    const first = accounts.signIn('microsoft', undefined)
    expect(accounts.view.signingIn).toBe('microsoft')
    const second = accounts.signIn('box', undefined)
    await expect(first).rejects.toMatchObject({ code: 'aborted', data: { declined: true } })
    expect(accounts.view.signingIn).toBe('box')
    accounts.cancelSignIn()
    await expect(second).rejects.toMatchObject({ code: 'aborted' })
    expect(accounts.view.signingIn).toBeUndefined()
    accounts.cancelSignIn()
    const third = accounts.signIn('google', undefined)
    await accounts.close()
    await expect(third).rejects.toMatchObject({ code: 'aborted' })
  })

  it('say what keeps anybody from signing in: no app key, no browser, a key file of nonsense', async () => {
    await using world = await setUp({ environment: {} })
    expect(world.accounts.view.available).toEqual([])
    await expect(world.accounts.signIn('dropbox', undefined)).rejects.toMatchObject({ wire: { code: 'unsupported', data: { reason: 'app-key', service: 'dropbox' } } })
    await writeFile(join(world.folder, 'app-keys.json'), JSON.stringify({ google: { id: appKey, secret: appSecret } }))
    const built = await world.open()
    expect(built.view.available).toEqual(['google'])
    const blind = await world.open({ openBrowser: () => Promise.reject(new Error('no such program')) })
    await expect(blind.signIn('google', undefined)).rejects.toMatchObject({ code: 'unsupported', data: { reason: 'browser' } })
    await writeFile(join(world.folder, 'app-keys.json'), 'nonsense')
    expect((await world.open()).view.available).toEqual([])
  })

  it('have to be signed in to again where the key that sealed them is gone', async () => {
    await using world = await setUp()
    await world.accounts.signIn('google', undefined)
    const other: SecretCipher = { kind: 'keychain', seal: (text) => Buffer.from(text), open: (sealed) => Buffer.from(sealed).toString() }
    const later = await world.open({ ciphers: [other] })
    expect(later.view.list).toMatchObject([{ state: 'sign-in-again' }])
    expect((await world.open({ ciphers: [other, keyFileCipher(join(world.folder, 'secrets.key'))] })).view.list).toMatchObject([{ state: 'signed-in' }])
  })
})

describe('signing out', () => {
  it('asks first, naming the jobs that would wait, and asks the service to forget', async () => {
    await using world = await setUp()
    await world.accounts.signIn('google', undefined)
    const asked: Question[] = []
    let yes = false
    const repository = { id: 'r', destination: { type: 'folder', path: '/backup' } } as const
    const jobs = ['photos', 'other'].map((name) => ({ id: name, config: { ...config, name }, repository: { ...repository, id: `r-${name}` }, scheduledSinceMs: 0 }))
    const copy = { id: 'c', repository: 'r-photos', destination: { type: 'provider', provider: 'gdrive', values: { account: 'anna@example.org', folder: 'copy' } }, removeVanished: false, addedMs: 0 } as const
    const handlers = accountHandlers({
      accounts: world.accounts,
      store: { all: jobs, copies: new CopyStore({ all: [copy], set: () => Promise.resolve() }) },
      ask: (question) => {
        asked.push(question)
        return yes ? Promise.resolve() : Promise.reject(declined())
      },
    })
    const request = { service: 'google', account: 'ANNA@example.org' } as const
    await expect(handlers['account.signOut'](request)).rejects.toMatchObject({ code: 'aborted' })
    expect(world.accounts.view.list).toHaveLength(1)
    yes = true
    await handlers['account.signOut'](request)
    expect(asked[1]).toMatchObject({ title: 'Sign out of Google (anna@example.org)?', yes: 'Sign out', detail: expect.stringMatching(/or copies of them, wait .*\nphotos$/) as string })
    expect(world.accounts.view.list).toEqual([])
    expect(world.server.revocations).toEqual(['google'])
    await expect(handlers['account.signOut'](request)).rejects.toMatchObject({ code: 'not-found' })
  })
})
