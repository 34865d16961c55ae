import { describe, expect, it } from 'vitest'
import { countsUnder } from '../../../engine/accounts/source.ts'
import { fixedCredentials } from '../../../engine/backend/credentials.ts'
import { openBackend } from '../../../engine/backend/open.ts'
import { writeAddress } from '../../../engine/protocol/providers/address.ts'
import { providers } from '../../../engine/protocol/providers/registry.ts'

const { signal } = new AbortController()

/** Each backend says itself under which key its transfers count; whoever shares caps between engines has only the address. */
describe.each(providers.filter(({ signIn }) => signIn !== undefined).map((provider) => [provider.id, provider] as const))('%s', (_id, provider) => {
  it.each(['anna@example.org', 'é ü@example.org', undefined])('counts the transfers of the account %s under the key that its address tells', async (account) => {
    const address = writeAddress(provider, { folder: 'a b', ...(account === undefined ? {} : { account }) })
    await using backend = await openBackend(address, { credentials: fixedCredentials({}), signal })
    expect(countsUnder(address, backend.traits.account ?? '')).toBe(true)
    const other = writeAddress(provider, { folder: 'a b', account: 'another@example.org' })
    expect(countsUnder(other, backend.traits.account ?? '')).toBe(false)
  })
})

it('there are four of them', () => {
  expect(providers.filter(({ signIn }) => signIn !== undefined).map(({ id }) => id).sort()).toEqual(['box', 'dropbox', 'gdrive', 'onedrive'])
})
