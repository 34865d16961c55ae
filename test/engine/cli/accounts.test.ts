import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openMarks } from '../../../engine/catalog/marks.ts'
import { browse, OAuthServer } from '../../servers/oauth.ts'
import { runCli, type CliResult } from './run-cli.ts'

const tokenHolder = fileURLToPath(new URL('./token-holder.ts', import.meta.url))

interface World extends AsyncDisposable {
  readonly server: OAuthServer
  readonly home: string
  run(...args: readonly string[]): Promise<CliResult>
  /** `login`, with somebody at the browser. */
  login(...args: readonly string[]): Promise<CliResult>
}

async function setUp(): Promise<World> {
  const server = await OAuthServer.start()
  const home = await mkdtemp(join(tmpdir(), 'holdfast-cli-accounts-'))
  const environment = { HOLDFAST_HOME: home, ...server.environment }
  return {
    server,
    home,
    run: (...args) => runCli(args, { environment }),
    login: (...args) => {
      let seen = false
      return runCli(['login', ...args], {
        environment,
        onOutput: (_child, text) => {
          const page = /http:\/\/127\.0\.0\.1:\d+\/[a-z]+\/[^"\s]*state=[^"\s]*(?=["\s])/.exec(text)?.[0]
          if (page === undefined || seen) return
          seen = true
          void browse(page)
        },
      })
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** As a run that stored a snapshot leaves it behind. */
function rememberJob(home: string, address: string, { job, host }: { readonly job: string, readonly host: string }): void {
  const { marks: opened } = openMarks(home)
  using marks = opened
  const repositoryId = createHash('sha256').update(address).digest('hex').slice(0, 32)
  marks.rememberAddress(address, repositoryId, 1)
  marks.see(repositoryId, { jobKey: createHash('sha256').update(job).digest('hex').slice(0, 32), host, job, revision: 3, suffix: '', state: 'snapshot', nonce: 'b'.repeat(32), finishedMs: 1, seenMs: 1 })
}

describe('login, accounts, logout', () => {
  it('sign in, list without a secret, and sign out', async () => {
    await using world = await setUp()
    const login = await world.login('google', '--no-browser')
    expect(login).toMatchObject({ code: 0, stderr: '' })
    expect(login.stdout).toMatch(/^Open this address in a browser on this machine to sign in to Google:\n {2}http:\S+\nSigned in to Google as anna@example\.org\.\n$/)
    expect((await stat(join(world.home, 'accounts.json'))).mode & 0o777).toBe(0o600)
    world.server.person = { id: 'id-bob', login: 'bob@example.org' }
    const second = await world.login('google', '--no-browser', '--name', 'work stuff', '--json')
    expect(second.events.map((one) => one['type'])).toEqual(['sign-in', 'summary'])
    expect(second.events.at(-1)).toMatchObject({ operation: 'login', outcome: 'success', service: 'google', name: 'work stuff', login: 'bob@example.org', state: 'signed-in' })
    const list = await world.run('accounts')
    expect(list.stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | ').replace(/\d{4}-.*/, 'DATE'))).toEqual([
      'SERVICE | NAME | SIGNED IN AS | SINCE', 'google | anna@example.org | anna@example.org | DATE', 'google | work stuff | bob@example.org | DATE', '',
    ])
    const json = await world.run('accounts', '--json')
    expect(json.events).toMatchObject([{ type: 'account', name: 'anna@example.org' }, { type: 'account', name: 'work stuff' }, { type: 'summary', accounts: 2 }])
    for (const { stdout, stderr } of [login, second, list, json]) expect(stdout + stderr).not.toMatch(/refresh-|access-|app-secret/)
    expect(await world.run('logout', 'google')).toMatchObject({ code: 200, stderr: expect.stringContaining('"anna@example.org", "work stuff"') as string })
    expect(await world.run('logout', 'WORK STUFF')).toMatchObject({ code: 0, stdout: 'Signed out of the Google account "work stuff".\n' })
    expect(await world.run('logout', 'google')).toMatchObject({ code: 0 })
    expect(world.server.revocations).toEqual(['google', 'google'])
    expect(await world.run('accounts')).toMatchObject({ code: 0, stdout: 'Nobody is signed in. See `holdfast login --help`.\n' })
    expect(await world.run('logout', 'anna@example.org')).toMatchObject({ code: 100, stderr: expect.stringContaining('nobody is signed in') as string })
    expect(await readdir(world.home)).toEqual(expect.arrayContaining(['accounts.json', 'accounts.lock']))
  })

  it('name the jobs that need an account, and sign out of it only where somebody agrees', async () => {
    await using world = await setUp()
    await world.login('google', '--no-browser')
    rememberJob(world.home, 'gdrive:/photos of anna@example.org', { job: 'docs', host: hostname() })
    rememberJob(world.home, 'gdrive:/photos of anna@example.org', { job: 'theirs', host: 'attic' })
    rememberJob(world.home, 'gdrive:/other of bob@example.org', { job: 'bobs', host: hostname() })
    rememberJob(world.home, 'dropbox:/other', { job: 'elsewhere', host: hostname() })
    const refused = await world.run('logout', 'google')
    expect(refused).toMatchObject({ code: 200, stderr: 'holdfast: The account is in use: nobody was signed out.\n  To sign out all the same, add --yes.\n' })
    expect(refused.stdout).toBe(`Backups of this machine to the Google account "anna@example.org", which fail until somebody signs in again:
  docs, to gdrive:/photos of anna@example.org
`)
    expect(await world.run('accounts', '--json')).toMatchObject({ events: [{ name: 'anna@example.org', state: 'signed-in' }, {}] })
    const json = await world.run('logout', 'google', '--yes', '--json')
    expect(json).toMatchObject({ code: 0, events: [{ type: 'in-use', name: 'anna@example.org', jobs: [{ job: 'docs', address: 'gdrive:/photos of anna@example.org' }], appJobs: [] }, { operation: 'logout', outcome: 'success' }] })
    expect(await world.run('accounts')).toMatchObject({ stdout: 'Nobody is signed in. See `holdfast login --help`.\n' })
  })

  it('tell of the app\'s jobs, which have a sign-in of their own', async () => {
    await using world = await setUp()
    await world.login('google', '--no-browser')
    const job = { id: 'id', name: 'films', destination: 'gdrive:/films?account=anna%40example.org', schedule: 'daily', state: 'idle', lateFromMs: 0, password: true, copies: [] }
    const jobs = [job, { ...job, name: 'copied', destination: 'file:///disk', copies: [{ destination: 'gdrive:/copy', state: 'idle' }] }, { ...job, name: 'bobs', destination: 'gdrive:/bobs?account=bob' }]
    await writeFile(join(world.home, 'status.json'), JSON.stringify({ version: 1, app: '1', pid: 1, running: false, writtenMs: 0, pausedAll: false, jobs, othersLate: [], damaged: [] }))
    rememberJob(world.home, 'gdrive:/films of anna@example.org', { job: 'films', host: hostname() })
    const out = await world.run('logout', 'google', '--yes')
    expect(out.stdout).toBe(`The app has jobs at an account of this name, with a sign-in of its own, which Google may end as well:
  films, to gdrive:/films?account=anna%40example.org
  copied, to gdrive:/copy
Signed out of the Google account "anna@example.org".
`)
  })

  it('say what is missing', async () => {
    await using world = await setUp()
    const environment = { HOLDFAST_HOME: world.home }
    const noKey = await runCli(['login', 'microsoft'], { environment })
    expect(noKey).toMatchObject({ code: 100, stdout: '' })
    expect(noKey.stderr).toContain('built without an app key for Microsoft')
    expect(noKey.stderr).toContain('HOLDFAST_MICROSOFT_APP_KEY')
    const noSecret = await runCli(['login', 'box'], { environment: { ...environment, HOLDFAST_BOX_APP_KEY: 'key' } })
    expect(noSecret).toMatchObject({ code: 200, stderr: expect.stringContaining('HOLDFAST_BOX_APP_SECRET') as string })
    expect(await world.run('login', 's3')).toMatchObject({ code: 200, stderr: expect.stringContaining('dropbox, google, microsoft, box') as string })
    world.server.allows = false
    const declined = await world.login('google', '--no-browser')
    expect(declined).toMatchObject({ code: 100, stderr: expect.stringContaining('not allowed') as string })
    const stopped = await runCli(['login', 'google', '--no-browser'], { environment: { ...environment, ...world.server.environment }, onOutput: (child) => { child.kill('SIGINT') } })
    expect(stopped.code).toBe(100)
    expect(await world.run('accounts')).toMatchObject({ stdout: 'Nobody is signed in. See `holdfast login --help`.\n' })
  })
})

describe('several processes', () => {
  it('that were all refused the same token renew it once', async () => {
    await using world = await setUp()
    await world.login('box', '--no-browser')
    const first = await holdToken(world)
    const tokens = await Promise.all([1, 2, 3, 4].map(() => holdToken(world, first)))
    expect(new Set(tokens).size).toBe(1)
    expect(tokens[0]).not.toBe(first)
    expect(world.server.renewals).toBe(1)
    expect(world.server.personOf(tokens[0] ?? '')).toEqual(world.server.person)
  })

  it('are not held up by one that was killed while it renewed: the lock is free, and what can be saved is', async () => {
    for (const kind of ['microsoft', 'box'] as const) {
      await using world = await setUp()
      await world.login(kind, '--no-browser')
      const first = await holdToken(world, undefined, kind)
      const reached = Promise.withResolvers<undefined>()
      // The service has given out the new tokens; the process that asked is killed before it hears of them.
      world.server.beforeReply = async ({ form }) => {
        if (form['grant_type'] !== 'refresh_token') return
        reached.resolve(undefined)
        await delay(2_000_000, undefined, { ref: false })
      }
      const child = startHolder(world, first, kind)
      await reached.promise
      child.kill('SIGKILL')
      world.server.beforeReply = () => Promise.resolve()
      const next = holdToken(world, first, kind)
      if (kind === 'microsoft') expect(world.server.personOf(await next)).toBeDefined()
      else await expect(next).rejects.toThrow(/credentials ended/)
      const list = await world.run('accounts', '--json')
      expect(list.events[0]).toMatchObject({ state: kind === 'microsoft' ? 'signed-in' : 'sign-in-again' })
    }
  })
})

describe('a storage', () => {
  it('says how to sign in where nobody is, where the consent is over, and which of several accounts there are', async () => {
    await using world = await setUp()
    const snapshots = (address: string): Promise<CliResult> => runCli(['snapshots', '--repo', address], { environment: { HOLDFAST_HOME: world.home, HOLDFAST_PASSWORD: 'p', HOLDFAST_SERVICE_GDRIVE: 'http://127.0.0.1:9', ...world.server.environment } })
    expect(await snapshots('gdrive:/photos')).toMatchObject({ code: 100, stderr: 'holdfast: Nobody is signed in to Google.\n  Sign in: holdfast login google\n' })
    await world.login('google', '--no-browser', '--name', "Anna's")
    world.server.endAccess()
    world.server.withdraw()
    await expect(holdToken(world, 'none', 'google').then((token) => holdToken(world, token, 'google'))).rejects.toThrow(/credentials ended/)
    const ended = await snapshots('gdrive:/photos')
    expect(ended.stderr).toBe(`holdfast: Google does not let Holdfast into the account "Anna's" any more: its consent was withdrawn, or has ended.\n  Sign in: holdfast login google --name 'Anna'\\''s'\n`)
    world.server.person = { id: 'id-bob', login: 'bob@example.org' }
    await world.login('google', '--no-browser')
    expect(await snapshots('gdrive:/photos')).toMatchObject({ code: 200, stderr: expect.stringContaining('"Anna\'s", "bob@example.org"') as string })
  })
})

/** Asks for a token as a backup does, in a process of its own. @param refused the token that a storage refused */
async function holdToken(world: World, refused?: string, kind = 'box'): Promise<string> {
  const child = startHolder(world, refused, kind)
  let text = ''
  child.stdout.on('data', (data: Buffer) => { text += data.toString() })
  await new Promise((resolve) => child.on('close', resolve))
  if (child.exitCode !== 0) throw new Error(text)
  return text.trim()
}

function startHolder(world: World, refused: string | undefined, kind: string) {
  const mark = refused === undefined ? '' : createHash('sha256').update('holdfast-token\n').update(refused).digest('hex').slice(0, 24)
  return spawn(process.execPath, [tokenHolder, world.home, kind, mark], { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'], ...world.server.environment } })
}
