import { connect, createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openLoopback } from '../../../engine/accounts/loopback.ts'
import { signInService, signInKinds } from '../../../engine/accounts/services.ts'
import { signIn } from '../../../engine/accounts/sign-in.ts'
import { appKey, appSecret, browse, type TokenFault } from '../../servers/oauth.ts'
import { FakeClock } from '../backend/fake-clock.ts'
import { accountWorld, never } from './setup.ts'

describe('signing in', () => {
  it.each(signInKinds)('to %s: consent in the browser, then an account with tokens', async (kind) => {
    await using world = await accountWorld()
    const pages: ReturnType<typeof browse>[] = []
    const account = await world.signIn(kind, {}, { onAddress: (page) => pages.push(browse(page)) })
    expect(account).toMatchObject({ service: kind, name: 'anna@example.org', login: 'anna@example.org', id: 'id-anna', state: 'signed-in', appKey })
    expect(account.tokens.refresh).toHaveLength(1)
    expect(world.server.personOf((await world.owner.token({ service: kind }, undefined, never)).accessToken)).toEqual(world.server.person)
    const page = await pages[0]
    expect(page).toMatchObject({ status: 200 })
    expect(page?.text).toContain('You are signed in')
    expect(page?.text).toContain('go back to Holdfast')
    // Nobody listens any more.
    await expect(fetch(page?.address ?? '')).rejects.toThrow()
    const [{ form } = { form: {} as Record<string, string> }] = world.server.tokenRequests
    expect('code_verifier' in form).toBe(kind !== 'box')
    expect(form['client_secret']).toBe(kind === 'google' || kind === 'box' ? appSecret : undefined)
  })

  it('asks for no more than it needs, at the services\' own addresses', () => {
    const scopes = Object.fromEntries(signInKinds.map((kind) => [kind, signInService(kind, {}).scopes.join(' ')]))
    expect(scopes).toEqual({
      dropbox: 'account_info.read files.metadata.read files.content.read files.content.write',
      google: 'https://www.googleapis.com/auth/drive.file',
      microsoft: 'Files.ReadWrite.AppFolder offline_access openid profile',
      box: 'root_readwrite',
    })
    for (const kind of signInKinds) expect(signInService(kind, {}).token).toMatch(/^https:\/\//)
    expect(() => signInService('box', { HOLDFAST_SERVICE_OAUTH: 'https://elsewhere.example' })).toThrow(expect.objectContaining({ code: 'arguments' }))
  })

  it('takes no answer without the right state, however often one comes, and only one with it', async () => {
    await using world = await accountWorld()
    const statuses: number[] = []
    const last = Promise.withResolvers<string>()
    const account = await world.signIn('dropbox', {}, {
      onAddress: (page) => {
        void (async () => {
          const query = new URL(page).searchParams
          const door = query.get('redirect_uri') ?? ''
          for (const path of ['?code=evil', '?state=wrong&code=evil', `?state=${query.get('state') ?? ''}`, `x?state=${query.get('state') ?? ''}&code=evil`]) statuses.push((await fetch(door + path)).status)
          statuses.push((await fetch(`${door}?state=${query.get('state') ?? ''}&code=evil`, { method: 'POST' })).status)
          const [first, second] = [await browse(page), await fetch(`${door}?state=${query.get('state') ?? ''}&code=evil`).then((one) => one.text(), () => 'nobody')]
          last.resolve(first.text + second)
        })()
      },
    })
    expect(account.login).toBe('anna@example.org')
    expect(statuses).toEqual([400, 400, 400, 404, 405])
    expect(await last.promise).toContain('You are signed in')
    expect(world.server.tokenRequests).toHaveLength(1)
    expect(world.server.tokenRequests[0]?.form['code']).not.toBe('evil')
  })

  it('answers whatever anybody on this machine sends, and waits on', async () => {
    await using door = await openLoopback({ host: '127.0.0.1', ports: 'any', path: '' }, 'the state')
    const port = Number(new URL(door.redirectUri).port)
    const answers = []
    for (const line of ['GET // HTTP/1.1', 'GET http://[ HTTP/1.1', `GET /?${'x'.repeat(20_000)} HTTP/1.1`, 'nonsense', 'GET /?state=the%20state&code=%0d%0a HTTP/1.1']) answers.push((await said(port, line)).split('\r\n', 1)[0])
    expect(answers).toEqual(['HTTP/1.1 404 Not Found', 'HTTP/1.1 404 Not Found', '', '', 'HTTP/1.1 400 Bad Request'])
    expect(await said(port, 'GET /?state=the%20state&error=%3Cscript%3E HTTP/1.1', () => { door.show('refused') })).not.toContain('script')
    expect(await door.callback).toEqual({ type: 'refused', error: '<script>' })
  })

  it('shows that a page was used already, and redeems nothing twice', async () => {
    await using world = await accountWorld()
    const second = Promise.withResolvers<string>()
    let door = ''
    world.server.beforeReply = async () => { second.resolve(await (await fetch(door)).text()) }
    await world.signIn('google', {}, {
      onAddress: (page) => {
        const query = new URL(page).searchParams
        door = `${query.get('redirect_uri') ?? ''}/?state=${query.get('state') ?? ''}&code=again`
        void browse(page)
      },
    })
    expect(await second.promise).toContain('used already')
    expect(world.server.tokenRequests).toHaveLength(1)
  })

  it('leads a browser on this machine to the page once: the address of a program\'s arguments is good for nobody else', async () => {
    await using world = await accountWorld()
    const seen: string[] = []
    await world.signIn('microsoft', {}, {
      onAddress: (page, begin) => {
        seen.push(page, begin)
        void (async () => {
          const first = await fetch(begin, { redirect: 'manual' })
          seen.push(first.headers.get('location') ?? '', String((await fetch(begin)).status))
          await browse(page)
        })()
      },
    })
    const [page, begin, location, again] = seen
    expect(location).toBe(page)
    expect(again).toBe('410')
    expect(begin).not.toContain(new URL(page ?? '').searchParams.get('state'))
    expect(begin).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/begin\//)
  })

  it('says that it was not allowed', async () => {
    await using world = await accountWorld()
    world.server.allows = false
    const pages: ReturnType<typeof browse>[] = []
    await expect(world.signIn('box', {}, { onAddress: (page) => pages.push(browse(page)) })).rejects.toMatchObject({ code: 'credentials', data: { reason: 'declined' } })
    expect((await pages[0])?.text).toContain('Nothing was allowed')
    expect(await world.owner.token({ service: 'box' }, undefined, never).catch((error: unknown) => error)).toMatchObject({ code: 'credentials', data: { reason: 'nobody', signIn: true } })
  })

  it('ends when nobody comes back, and at once when it is given up', async () => {
    await using world = await accountWorld()
    const clock = new FakeClock()
    const opened = Promise.withResolvers<string>()
    const late = signIn({ ...world.parts('dropbox'), clock, onAddress: (page) => { opened.resolve(page) } }, () => Promise.reject(new Error('taken')), never)
    const refused = expect(late).rejects.toMatchObject({ code: 'credentials', data: { reason: 'late' } })
    await opened.promise
    await clock.advance(10 * 60_000)
    await refused
    const stop = new AbortController()
    const given = signIn({ ...world.parts('dropbox'), onAddress: () => { stop.abort() } }, () => Promise.reject(new Error('taken')), stop.signal)
    await expect(given).rejects.toMatchObject({ code: 'aborted' })
  })

  it('takes the address that a browser elsewhere ended at, and no other', async () => {
    await using world = await accountWorld()
    const ended = Promise.withResolvers<string>()
    const onAddress = (page: string): void => { void fetch(page, { redirect: 'manual' }).then((reply) => { ended.resolve(reply.headers.get('location') ?? '') }) }
    expect(await world.signIn('dropbox', {}, { onAddress, pasted: ended.promise })).toMatchObject({ login: 'anna@example.org' })
    for (const wrong of ['no address', 'http://localhost:17417/?code=evil&state=wrong']) {
      await expect(world.signIn('dropbox', {}, { onAddress: () => undefined, pasted: Promise.resolve(wrong) })).rejects.toMatchObject({ code: 'arguments' })
    }
  })

  it('goes to another registered port where one is taken on any address of the host, and says so where all are', async () => {
    await using a = await squat(0, '127.0.0.1')
    await using b = await squat(0, '::1')
    const free = await squat(0, '127.0.0.1')
    await free[Symbol.asyncDispose]()
    const ports = [a.port, b.port, free.port]
    {
      await using door = await openLoopback({ host: '127.0.0.1', ports, path: '/' }, 'state')
      expect(door.redirectUri).toBe(`http://127.0.0.1:${b.port}/`)
    }
    // Somebody else on the other address that "localhost" stands for would get what comes for us.
    await using door = await openLoopback({ host: 'localhost', ports, path: '/' }, 'state')
    expect(door.redirectUri).toBe(`http://localhost:${free.port}/`)
    await expect(openLoopback({ host: 'localhost', ports, path: '/' }, 'state')).rejects.toMatchObject({ code: 'busy', message: expect.stringContaining(String(free.port)) as string })
  })
})

describe('a service that answers as none should', () => {
  const causes: readonly (readonly [TokenFault, string, object])[] = [
    ['huge', 'unavailable', { reason: 'EndlessReply' }],
    ['html', 'unavailable', { reason: 'NotTokens' }],
    ['redirect', 'unavailable', {}],
    ['nonsense', 'unavailable', { reason: 'NotTokens' }],
    ['header-injection', 'unavailable', { reason: 'NotTokens' }],
    ['broken', 'unavailable', {}],
    ['throttled', 'throttled', { retryAfterMs: 7000 }],
    ['lost', 'offline', {}],
    ['no-refresh-token', 'credentials', { reason: 'no-refresh-token' }],
    ['fewer-scopes', 'credentials', { reason: 'scope' }],
  ]
  it.each(causes)('%s: %s', async (fault, code, data) => {
    await using world = await accountWorld()
    world.server.faults.push(fault)
    const pages: ReturnType<typeof browse>[] = []
    await expect(world.signIn('dropbox', {}, { onAddress: (page) => pages.push(browse(page)) })).rejects.toMatchObject({ code, data })
    expect((await pages[0])?.text).toContain('did not work')
  })

  it('slow: the sign-in can be given up', async () => {
    await using world = await accountWorld()
    world.server.faults.push('slow')
    const stop = new AbortController()
    world.server.beforeReply = () => { stop.abort(); return Promise.resolve() }
    await expect(world.signIn('google', {}, {}, stop.signal)).rejects.toMatchObject({ code: 'aborted' })
  })

  it('no longer takes a code after half a minute', async () => {
    await using world = await accountWorld()
    await expect(world.signIn('box', {}, {
      onAddress: (page) => {
        void fetch(page, { redirect: 'manual' }).then((reply) => {
          world.server.aheadMs = 31_000
          return fetch(reply.headers.get('location') ?? '')
        })
      },
    })).rejects.toMatchObject({ code: 'credentials' })
  })

  it('knows another app than the one whose key is set', async () => {
    await using world = await accountWorld()
    const key = { id: appKey, secret: 'a wrong one' }
    await expect(world.signIn('google', {}, { key })).rejects.toMatchObject({ code: 'credentials', message: expect.stringContaining('app') as string })
  })
})

/** What a server answers to a request of one line. */
function said(port: number, line: string, sent: () => void = () => undefined): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => { socket.write(`${line}\r\nHost: 127.0.0.1\r\n\r\n`, () => setImmediate(sent)) })
    socket.on('data', (data: Buffer) => { text += data.toString() })
    socket.on('error', () => undefined)
    socket.on('close', () => { resolve(text) })
  })
}

async function squat(port: number, host: string): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: () => new Promise((resolve) => { server.close(() => { resolve() }) }) }
}
