import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { DropboxServer } from '../servers/dropbox.ts'
import { browse, OAuthServer } from '../servers/oauth.ts'
import { runCli, type CliResult } from '../engine/cli/run-cli.ts'

// Real processes on a machine that does other things too.
vi.setConfig({ testTimeout: 90_000 })

interface World extends AsyncDisposable {
  readonly auth: OAuthServer
  readonly storage: DropboxServer
  readonly folder: string
  run(...args: readonly string[]): Promise<CliResult>
  login(): Promise<CliResult>
}

/** A Dropbox that takes the tokens of its authorization server, and files to back up to it. */
async function setUp(files = 4): Promise<World> {
  const auth = await OAuthServer.start()
  const storage = await DropboxServer.start()
  storage.isGood = (token) => auth.personOf(token) !== undefined
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-signed-in-'))
  await mkdir(join(folder, 'docs'))
  for (let file = 0; file < files; file++) await writeFile(join(folder, 'docs', `file-${file}`), randomBytes(2 << 20))
  const environment = { HOLDFAST_HOME: join(folder, 'home'), HOLDFAST_PASSWORD: 'p', HOLDFAST_REPO: 'dropbox:/photos', HOLDFAST_SERVICE_DROPBOX: storage.origin, ...auth.environment }
  return {
    auth, storage, folder,
    run: (...args) => runCli(args, { environment }),
    login: () => {
      let seen = false
      return runCli(['login', 'dropbox', '--no-browser'], {
        environment,
        onOutput: (_child, text) => {
          const page = / (http:\S+)\n/.exec(text)?.[1]
          if (page !== undefined && !seen) void browse(page)
          seen ||= page !== undefined
        },
      })
    },
    async [Symbol.asyncDispose]() {
      await auth[Symbol.asyncDispose]()
      await storage[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

test('a backup goes to the account that somebody signed in to; a token that ends on the way is renewed once, for all transfers', async () => {
  await using world = await setUp()
  expect(await world.login()).toMatchObject({ code: 0 })
  await world.run('init')
  let uploads = 0
  world.storage.choose = ({ url }) => {
    if (url.includes('files/upload') && ++uploads === 3) world.auth.endAccess()
    return undefined
  }
  const backup = await world.run('backup', join(world.folder, 'docs'), '--job', 'docs')
  expect(backup, backup.stderr).toMatchObject({ code: 0 })
  expect(world.auth.renewals).toBe(1)
  expect(uploads).toBeGreaterThan(3)
  const restored = join(world.folder, 'back')
  expect(await world.run('restore', 'latest:docs', '--to', restored)).toMatchObject({ code: 0 })
  const names = await readdir(join(world.folder, 'docs'))
  const [before, after] = await Promise.all([join(world.folder, 'docs'), join(restored, 'docs')].map((folder) => Promise.all(names.map((name) => readFile(join(folder, name))))))
  expect(after).toEqual(before)
})

test('consent that is withdrawn on the way ends the run with how to sign in; after that it goes on, and what arrived is not sent again', async () => {
  await using world = await setUp(10)
  await world.login()
  await world.run('init')
  // One at a time: what was sent before the request at which consent ends has arrived.
  const backUp = (...more: readonly string[]): Promise<CliResult> => world.run('backup', join(world.folder, 'docs'), '--job', 'docs', '--concurrency', '1', ...more)
  let isWithdrawn = false
  world.storage.choose = ({ url }) => {
    if (isWithdrawn || !url.includes('upload_session') || world.storage.receivedBytes <= 8 << 20) return undefined
    isWithdrawn = true
    world.auth.withdraw()
    return undefined
  }
  const cut = await backUp()
  expect([50, 100]).toContain(cut.code)
  expect(cut.stderr).toContain('Dropbox does not let Holdfast into the account "anna@example.org" any more')
  expect(cut.stderr).toContain('Sign in: holdfast login dropbox --name anna@example.org')
  const { renewals } = world.auth
  expect(await backUp()).toMatchObject({ code: 100 })
  expect(world.auth.renewals).toBe(renewals)
  world.storage.choose = () => undefined
  await world.login()
  const sent = world.storage.receivedBytes
  const again = await backUp('--json')
  expect(again).toMatchObject({ code: 0 })
  expect(await world.run('check', '--read-data')).toMatchObject({ code: 0 })
  expect(sent).toBeGreaterThan(8 << 20)
  expect((world.storage.receivedBytes - sent) / (20 << 20)).toBeLessThan(0.7)
})
