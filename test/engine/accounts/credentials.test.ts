import { describe, expect, it } from 'vitest'
import { AccountCredentials } from '../../../engine/accounts/credentials.ts'
import { accountOf, credentialSource } from '../../../engine/accounts/source.ts'
import { markOf, type TokenOwner } from '../../../engine/accounts/tokens.ts'
import { HoldfastError } from '../../../engine/base/errors.ts'
import type { AccessToken } from '../../../engine/protocol/accounts.ts'
import { FakeClock } from '../backend/fake-clock.ts'

const never = new AbortController().signal

/** Answers when the test says so, and writes down what it was asked. */
function slowOwner(): { readonly owner: TokenOwner; readonly asked: (string | undefined)[]; readonly answer: (token: AccessToken) => void; readonly refuse: (error: Error) => void } {
  const asked: (string | undefined)[] = []
  let waiting: PromiseWithResolvers<AccessToken>[] = []
  const owner: TokenOwner = {
    token(_account, rejected) {
      asked.push(rejected)
      const one = Promise.withResolvers<AccessToken>()
      waiting.push(one)
      return one.promise
    },
  }
  const settle = (act: (one: PromiseWithResolvers<AccessToken>) => void): void => {
    for (const one of waiting) act(one)
    waiting = []
  }
  return { owner, asked, answer: (token) => { settle((one) => { one.resolve(token) }) }, refuse: (error) => { settle((one) => { one.reject(error) }) } }
}

function setUp() {
  const clock = new FakeClock()
  const told = slowOwner()
  const source = new AccountCredentials(told.owner, { service: 'google' }, clock, never)
  const good = (accessToken: string): AccessToken => ({ accessToken, expiresMs: clock.now() + 3_600_000 })
  return { clock, source, good, ...told }
}

describe('the credentials of an account', () => {
  it('are asked for once, however many want them, and kept until they end', async () => {
    const { clock, source, asked, answer, good } = setUp()
    const all = [source.current(never), source.current(never), source.current(never)]
    answer(good('one'))
    expect(await Promise.all(all)).toEqual([{ accessToken: 'one' }, { accessToken: 'one' }, { accessToken: 'one' }])
    await source.current(never)
    expect(asked).toEqual([undefined])
    await clock.advance(3_600_000 - 59_000)
    const later = source.current(never)
    answer(good('two'))
    expect(await later).toEqual({ accessToken: 'two' })
    expect(asked).toHaveLength(2)
  })

  it('are renewed once for all who were refused the same, by a mark that says nothing of the token', async () => {
    const { source, asked, answer, good } = setUp()
    const first = source.current(never)
    answer(good('one'))
    const refused = await first
    const renewals = [source.renew(refused, never), source.renew(refused, never)]
    answer(good('two'))
    expect(await Promise.all(renewals)).toEqual([{ accessToken: 'two' }, { accessToken: 'two' }])
    expect(asked).toEqual([undefined, markOf('one')])
    expect(asked[1]).not.toContain('one')
    expect(await source.renew(refused, never)).toEqual({ accessToken: 'two' })
    expect(asked).toHaveLength(2)
  })

  it('are not lost for others when one stops waiting, nor when the owner refused once', async () => {
    const { source, asked, answer, refuse, good } = setUp()
    const stop = new AbortController()
    const impatient = source.current(stop.signal)
    const patient = source.current(never)
    stop.abort()
    await expect(impatient).rejects.toMatchObject({ code: 'aborted' })
    answer(good('one'))
    expect(await patient).toEqual({ accessToken: 'one' })
    const renewal = source.renew({ accessToken: 'one' }, never)
    refuse(new HoldfastError('offline', 'away'))
    await expect(renewal).rejects.toMatchObject({ code: 'offline' })
    const again = source.renew({ accessToken: 'one' }, never)
    answer(good('two'))
    expect(await again).toEqual({ accessToken: 'two' })
    expect(asked).toEqual([undefined, markOf('one'), markOf('one')])
    await expect(source.current(AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' })
  })
})

describe('the account of an address', () => {
  it.each([
    ['gdrive:/photos?account=anna%40example.org', { service: 'google', name: 'anna@example.org' }],
    ['gdrive:/photos', { service: 'google' }],
    ['faulty+gdrive:/photos?account=anna&fault.seed=3', { service: 'google', name: 'anna' }],
    ['s3://bucket/x', undefined],
    ['/a/folder', undefined],
    ['gdrive:/photos?account=a&account=b', undefined],
  ])('%s', (address, account) => {
    expect(accountOf(address)).toEqual(account)
  })

  it('decides where credentials come from', async () => {
    const clock = new FakeClock()
    const owner: TokenOwner = { token: ({ name }) => Promise.resolve({ accessToken: `token of ${name ?? 'the only one'}`, expiresMs: Infinity }) }
    const options = { entered: { accessKeyId: 'key' }, owner, clock, signal: never }
    expect(await credentialSource('s3://bucket/x', options).current(never)).toEqual({ accessKeyId: 'key' })
    expect(await credentialSource('gdrive:/x?account=anna', options).current(never)).toEqual({ accessToken: 'token of anna' })
    await expect(credentialSource('gdrive:/x', { ...options, owner: undefined }).current(never)).rejects.toMatchObject({ code: 'credentials' })
  })
})
