import { chmod, mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { markOf } from '../../../engine/accounts/tokens.ts'
import { appKey, appSecret } from '../../servers/oauth.ts'
import { AccountFile, plainCodec } from '../../../engine/accounts/account-file.ts'
import { appKeyFor, parseBuiltKeys } from '../../../engine/accounts/app-key.ts'
import { signInKinds, signInService } from '../../../engine/accounts/services.ts'
import { accountWorld, never } from './setup.ts'

describe('tokens', () => {
  it.each(signInKinds)('of %s are renewed once for all who were refused the same, again and again', async (kind) => {
    await using world = await accountWorld()
    const { owner, server } = world
    await world.signIn(kind)
    let { accessToken } = await owner.token({ service: kind }, undefined, never)
    expect(server.renewals).toBe(0)
    for (let round = 1; round <= 3; round++) {
      const rejected = markOf(accessToken)
      const tokens = await Promise.all([1, 2, 3, 4, 5].map(() => owner.token({ service: kind, name: 'anna@example.org' }, rejected, never)))
      expect(new Set(tokens.map((one) => one.accessToken)).size).toBe(1)
      accessToken = tokens[0]?.accessToken ?? ''
      expect(server.personOf(accessToken)).toEqual(server.person)
      expect(server.renewals).toBe(round)
    }
  })

  it('are renewed before they end, and by one process only where several share the file', async () => {
    await using world = await accountWorld()
    await world.signIn('box')
    const before = await world.owner.token({ service: 'box' }, undefined, never)
    const rejected = markOf(before.accessToken)
    const first = await world.owner.token({ service: 'box' }, rejected, never)
    const second = await world.another().token({ service: 'box' }, rejected, never)
    expect(second).toEqual(first)
    expect(world.server.renewals).toBe(1)
  })

  it('that are new are on disk before anybody gets them', async () => {
    await using world = await accountWorld()
    await world.signIn('box')
    const { accessToken } = await world.owner.token({ service: 'box' }, undefined, never)
    const kept = async (): Promise<string> => readFile(world.path, 'utf8')
    const token = await world.owner.token({ service: 'box' }, markOf(accessToken), never)
    expect(await kept()).toContain(token.accessToken)
    expect((await stat(world.path)).mode & 0o777).toBe(0o600)
  })

  it('are not lost when who asked stops waiting', async () => {
    await using world = await accountWorld()
    await world.signIn('box')
    const { accessToken } = await world.owner.token({ service: 'box' }, undefined, never)
    const stop = new AbortController()
    world.server.beforeReply = () => { stop.abort(); return Promise.resolve() }
    await expect(world.owner.token({ service: 'box' }, markOf(accessToken), stop.signal)).rejects.toMatchObject({ code: 'aborted' })
    await world.owner[Symbol.asyncDispose]()
    expect(world.server.personOf((await world.another().token({ service: 'box' }, undefined, never)).accessToken)).toBeDefined()
    expect(world.server.renewals).toBe(1)
  })

  it('are kept in memory, and given to nobody, while the disk does not take them', async () => {
    await using world = await accountWorld()
    await world.signIn('box')
    const { accessToken } = await world.owner.token({ service: 'box' }, undefined, never)
    // A folder in the place of the new file, made when the service has given out the tokens: the disk refuses.
    world.server.beforeReply = async () => { await mkdir(`${world.path}.next/in-the-way`, { recursive: true }) }
    for (let round = 0; round < 2; round++) await expect(world.owner.token({ service: 'box' }, markOf(accessToken), never)).rejects.toMatchObject({ data: { place: 'home' } })
    await rename(`${world.path}.next`, `${world.path}.moved`)
    expect(world.server.renewals).toBe(1)
    const renewed = await world.owner.token({ service: 'box' }, markOf(accessToken), never)
    expect(world.server.personOf(renewed.accessToken)).toBeDefined()
    expect(world.server.renewals).toBe(1)
  })

  it('are asked for again after trouble of the service, which ends no consent', async () => {
    await using world = await accountWorld()
    await world.signIn('dropbox')
    const rejected = markOf((await world.owner.token({ service: 'dropbox' }, undefined, never)).accessToken)
    for (const [fault, code] of [['unknown-client', 'credentials'], ['broken', 'unavailable'], ['throttled', 'throttled'], ['html', 'unavailable'], ['lost', 'offline']] as const) {
      world.server.faults.push(fault)
      await expect(world.owner.token({ service: 'dropbox' }, rejected, never)).rejects.toMatchObject({ code })
    }
    // Many who ask at once ask the service once, also where it has trouble.
    const { renewals } = world.server
    world.server.faults.push('broken', 'broken', 'broken')
    const asked = await Promise.allSettled([1, 2, 3].map(() => world.owner.token({ service: 'dropbox' }, rejected, never)))
    expect(asked.map((one) => one.status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(world.server.renewals).toBe(renewals + 1)
    world.server.faults.length = 0
    expect(world.server.personOf((await world.owner.token({ service: 'dropbox' }, rejected, never)).accessToken)).toBeDefined()
  })
})

describe('a consent that is over', () => {
  it.each(signInKinds)('at %s is told, remembered, and not asked for again', async (kind) => {
    await using world = await accountWorld()
    await world.signIn(kind)
    const { accessToken } = await world.owner.token({ service: kind }, undefined, never)
    world.server.withdraw()
    const changes = world.changes()
    const told = { code: 'credentials', data: { reason: 'ended', signIn: true, service: kind, account: 'anna@example.org' } }
    await expect(world.owner.token({ service: kind }, markOf(accessToken), never)).rejects.toMatchObject(told)
    const { renewals } = world.server
    for (let again = 0; again < 3; again++) await expect(world.owner.token({ service: kind }, undefined, never)).rejects.toMatchObject(told)
    await expect(world.another().token({ service: kind }, undefined, never)).rejects.toMatchObject(told)
    expect(world.server.renewals).toBe(renewals)
    expect(world.changes()).toBe(changes + 1)
    expect(await readFile(world.path, 'utf8')).not.toContain('refresh-')
    await world.signIn(kind, { again: 'anna@example.org' })
    expect(world.server.personOf((await world.owner.token({ service: kind }, undefined, never)).accessToken)).toBeDefined()
  })

  it('is signed in to again as the same account only', async () => {
    await using world = await accountWorld()
    await world.signIn('google', { name: 'family' })
    world.server.person = { id: 'id-bob', login: 'bob@example.org' }
    await expect(world.signIn('google', { again: 'family' })).rejects.toMatchObject({ code: 'denied', data: { reason: 'other-account', found: 'bob@example.org' } })
    await expect(world.signIn('google', { name: 'family' })).rejects.toMatchObject({ code: 'exists' })
    expect((await world.owner.token({ service: 'google', name: 'family' }, undefined, never))).toBeDefined()
    await world.signIn('google')
    await expect(world.owner.token({ service: 'google' }, undefined, never)).rejects.toMatchObject({ code: 'arguments', message: expect.stringContaining('"family", "bob@example.org"') as string })
    await expect(world.owner.token({ service: 'google', name: 'carol' }, undefined, never)).rejects.toMatchObject({ code: 'credentials', data: { reason: 'nobody', account: 'carol' } })
    expect(world.server.personOf((await world.owner.token({ service: 'google', name: 'FAMILY' }, undefined, never)).accessToken)?.login).toBe('anna@example.org')
  })
})

describe('a kill between renewal and storing', () => {
  /** The world after the service gave out new tokens, and the process was killed at this step. */
  async function killed(kind: 'box' | 'microsoft', step: 'reply lost' | 'half written' | 'on disk, not in place') {
    const world = await accountWorld()
    await world.signIn(kind)
    const before = await readFile(world.path, 'utf8')
    const { accessToken } = await world.owner.token({ service: kind }, undefined, never)
    await world.owner.token({ service: kind }, markOf(accessToken), never)
    const after = await readFile(world.path, 'utf8')
    await writeFile(world.path, before)
    if (step === 'half written') await writeFile(`${world.path}.next`, after.slice(0, after.length / 2), { mode: 0o600 })
    if (step === 'on disk, not in place') await writeFile(`${world.path}.next`, after, { mode: 0o600 })
    return { world, rejected: markOf(accessToken) }
  }

  it.each(['reply lost', 'half written', 'on disk, not in place'] as const)('Microsoft, %s: goes on', async (step) => {
    const { world: made, rejected } = await killed('microsoft', step)
    await using world = made
    expect(world.server.personOf((await world.another().token({ service: 'microsoft' }, rejected, never)).accessToken)).toBeDefined()
  })

  it('Box, on disk, not in place: goes on with what is on disk', async () => {
    const { world: made, rejected } = await killed('box', 'on disk, not in place')
    await using world = made
    const { renewals } = world.server
    const token = await world.another().token({ service: 'box' }, rejected, never)
    expect(world.server.personOf(token.accessToken)).toBeDefined()
    expect(world.server.renewals).toBe(renewals)
    world.server.endAccess()
    expect(world.server.personOf((await world.another().token({ service: 'box' }, markOf(token.accessToken), never)).accessToken)).toBeDefined()
  })

  it.each(['reply lost', 'half written'] as const)('Box, %s: a clear "sign in again", and no loop', async (step) => {
    const { world: made, rejected } = await killed('box', step)
    await using world = made
    const owner = world.another()
    for (let again = 0; again < 2; again++) await expect(owner.token({ service: 'box' }, rejected, never)).rejects.toMatchObject({ code: 'credentials', data: { reason: 'ended', signIn: true } })
    // Each refresh token that there was is tried once.
    expect(world.server.renewals).toBe(2)
  })

  it('where the newest was lost, the one before is still taken', async () => {
    await using world = await accountWorld()
    await world.signIn('microsoft')
    const { accessToken } = await world.owner.token({ service: 'microsoft' }, undefined, never)
    const { accessToken: second } = await world.owner.token({ service: 'microsoft' }, markOf(accessToken), never)
    const text = await readFile(world.path, 'utf8')
    const newest = /refresh\\":\[\\"(refresh-[0-9a-f]+)/.exec(text)?.[1] ?? 'none'
    await writeFile(world.path, text.replace(newest, 'refresh-unknown'))
    expect(world.server.personOf((await world.owner.token({ service: 'microsoft' }, markOf(second), never)).accessToken)).toBeDefined()
  })
})

describe('signing out', () => {
  it.each([['dropbox', true], ['google', true], ['microsoft', false], ['box', true]] as const)('of %s forgets the account, and the service\'s consent where it can: %s', async (kind, revokes) => {
    await using world = await accountWorld()
    await world.signIn(kind)
    world.server.endAccess()
    const { account, revoked } = await world.owner.remove({ service: kind }, never)
    expect(account.login).toBe('anna@example.org')
    // An access token that the service has dropped cannot take the consent back any more.
    expect(revoked).toBe(revokes && kind !== 'dropbox')
    expect(world.server.revocations).toEqual(revoked ? [kind] : [])
    expect(await readFile(world.path, 'utf8')).not.toMatch(/refresh-|access-|anna/)
    await expect(world.owner.remove({ service: kind }, never)).rejects.toMatchObject({ code: 'credentials' })
  })

  it('takes consent back with a token that is good', async () => {
    await using world = await accountWorld()
    await world.signIn('dropbox')
    const { accessToken } = await world.owner.token({ service: 'dropbox' }, undefined, never)
    expect(await world.owner.remove({ service: 'dropbox' }, never)).toMatchObject({ revoked: true })
    expect(world.server.personOf(accessToken)).toBeUndefined()
  })
})

describe('the file', () => {
  it('is closed to others when it was open, and not taken from others, through links, or from a newer Holdfast', async () => {
    await using world = await accountWorld()
    await world.signIn('google')
    await chmod(world.path, 0o644)
    await world.another().token({ service: 'google' }, undefined, never)
    expect((await stat(world.path)).mode & 0o777).toBe(0o600)
    const good = await readFile(world.path, 'utf8')
    for (const [text, code] of [['{"version":2,"accounts":{}}', 'version'], ['no json', 'arguments'], [good.replace('signed-in', 'unheard-of'), 'arguments'], ['[]', 'arguments']] as const) {
      await writeFile(world.path, text)
      await expect(world.owner.token({ service: 'google' }, undefined, never)).rejects.toMatchObject({ code, data: { place: 'home' } })
      await expect(world.signIn('google')).rejects.toMatchObject({ code })
      expect(await readFile(world.path, 'utf8')).toBe(text)
    }
    await writeFile(`${world.path}.real`, good)
    await rename(`${world.path}.real`, `${world.path}.elsewhere`)
    await import('node:fs/promises').then((fs) => fs.rm(world.path))
    await symlink(`${world.path}.elsewhere`, world.path)
    await expect(world.owner.token({ service: 'google' }, undefined, never)).rejects.toMatchObject({ data: { place: 'home' } })
  })

  it('whose key is gone keeps its accounts, and they have to be signed in to again', async () => {
    await using world = await accountWorld()
    await world.signIn('google')
    const file = new AccountFile({ path: world.path, codec: { ...plainCodec, open: () => undefined }, lock: () => Promise.resolve({ [Symbol.dispose]: () => undefined }) })
    expect(await file.read()).toMatchObject([{ name: 'anna@example.org', state: 'sign-in-again', tokens: { refresh: [] } }])
    expect(file.known).toHaveLength(1)
  })
})

describe('app keys', () => {
  it('come from the environment, else from the build, and what is missing is said', () => {
    const google = signInService('google', {})
    const built = parseBuiltKeys(`{"google":{"id":"built","secret":"built-secret"},"dropbox":{"id":"built"}}`)
    expect(appKeyFor(google, {}, built)).toEqual({ id: 'built', secret: 'built-secret' })
    expect(appKeyFor(google, { HOLDFAST_GOOGLE_APP_KEY: appKey, HOLDFAST_GOOGLE_APP_SECRET: appSecret }, built)).toEqual({ id: appKey, secret: appSecret })
    expect(() => appKeyFor(google, { HOLDFAST_GOOGLE_APP_KEY: appKey }, built)).toThrow(/HOLDFAST_GOOGLE_APP_SECRET/)
    expect(() => appKeyFor(google, { HOLDFAST_GOOGLE_APP_KEY: 'with a blank' }, built)).toThrow(/HOLDFAST_GOOGLE_APP_KEY/)
    expect(() => appKeyFor(signInService('microsoft', {}), { HOLDFAST_MICROSOFT_APP_KEY: '' }, built))
      .toThrow(expect.objectContaining({ code: 'unsupported', message: expect.stringContaining('without an app key for Microsoft') as string, data: expect.objectContaining({ advice: expect.stringContaining('HOLDFAST_MICROSOFT_APP_KEY') as string }) as object }))
    expect(() => parseBuiltKeys('{"google":{"id":7}}')).toThrow(/app-keys\.json/)
  })

  it('of another app than the account was signed in to with are told apart', async () => {
    await using world = await accountWorld()
    await world.signIn('google')
    const text = await readFile(world.path, 'utf8')
    await writeFile(world.path, text.replaceAll(appKey, 'the-key-of-before'))
    const { accessToken } = await world.owner.token({ service: 'google' }, undefined, never)
    await expect(world.owner.token({ service: 'google' }, markOf(accessToken), never)).rejects.toMatchObject({ code: 'credentials', data: { reason: 'other-app-key' } })
    expect(world.server.renewals).toBe(0)
  })
})
