import { afterEach, describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../engine/backend/credentials.ts'
import { openBackend } from '../../../engine/backend/open.ts'
import { BoxServer } from '../../servers/box.ts'
import { DropboxServer } from '../../servers/dropbox.ts'
import { DriveServer } from '../../servers/gdrive.ts'
import { OneDriveServer } from '../../servers/onedrive.ts'
import { bytesOf, codeOf } from '../../suites/backend-contract.ts'

const never = new AbortController().signal
let cleanup = new AsyncDisposableStack()

afterEach(async () => {
  await cleanup.disposeAsync()
  cleanup = new AsyncDisposableStack()
})

async function open(name: string, { origin }: { readonly origin: string }): Promise<StorageBackend> {
  return cleanup.use(await openBackend(`${name}:/some/folder`, { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: origin }))
}

const services = {
  dropbox: { start: () => DropboxServer.start(), route: 'get_space_usage' },
  gdrive: { start: () => DriveServer.start(), route: '/about' },
  onedrive: { start: () => OneDriveServer.start(), route: '/me/drive?' },
  box: { start: () => BoxServer.start(), route: '/users/me' },
} as const

describe.each(Object.entries(services))('%s', (name, { start, route }) => {
  test('tells what the account has left, and nothing less than nothing', async () => {
    const server = cleanup.use(await start())
    const backend = await open(name, server)
    await backend.put('packs/ab/x', bytesOf('0123456789'), {}, never)
    server.quotaBytes = 1_000_000
    expect(await backend.space?.(never)).toEqual({ freeBytes: 999_990, totalBytes: 1_000_000 })
    server.quotaBytes = 4
    expect(await backend.space?.(never)).toEqual({ freeBytes: 0, totalBytes: 4 })
  })

  test.each([['{"quota":"much","used":-1}'], ['[]'], ['not JSON']])('an answer that makes no sense (%s) is no figure', async (text) => {
    const server = cleanup.use(await start())
    const backend = await open(name, server)
    const asks = ({ url }: { readonly url: string }): boolean => url.includes(route)
    if (server instanceof DriveServer) server.breakNext(asks, { type: 'say', body: text, contentType: 'application/json' })
    else server.breakNext(asks, { type: 'answer', status: 200, text, headers: { 'content-type': 'application/json' } })
    expect(await backend.space?.(never).catch(() => undefined)).toBeUndefined()
    expect(server.requests.some(asks)).toBe(true)
    expect(await codeOf(backend.put('x', bytesOf('x'), {}, never))).toBe('done')
  })
})

test.each(['gdrive', 'box'] as const)('%s without a limit tells none', async (name) => {
  const server = cleanup.use(await services[name].start())
  expect(await (await open(name, server)).space?.(never)).toBeUndefined()
})

test('the room of a Dropbox team is everybody\'s, and its member may have less of it', async () => {
  const server = cleanup.use(await DropboxServer.start())
  const backend = await open('dropbox', server)
  await backend.put('x', bytesOf('0123456789'), {}, never)
  server.quotaBytes = 1_000_000
  server.team = { usedByOthers: 400_000 }
  expect(await backend.space?.(never)).toEqual({ freeBytes: 599_990, totalBytes: 1_000_000 })
  server.team = { usedByOthers: 400_000, ownBytes: 50_000 }
  expect(await backend.space?.(never)).toEqual({ freeBytes: 49_990, totalBytes: 50_000 })
  server.team = { usedByOthers: 999_000, ownBytes: 50_000 }
  expect(await backend.space?.(never)).toEqual({ freeBytes: 990, totalBytes: 1_000_000 })
})

test('a sign-in to Dropbox without the right to ask is asked once, and keeps files', async () => {
  const server = cleanup.use(await DropboxServer.start())
  const backend = await open('dropbox', server)
  server.choose = ({ url }) => (url.includes('/users/') ? { type: 'answer', status: 401, json: { error_summary: 'missing_scope/', error: { '.tag': 'missing_scope', required_scope: 'account_info.read' } } } : undefined)
  expect(await backend.space?.(never)).toBeUndefined()
  const asked = server.requests.length
  expect(await backend.space?.(never)).toBeUndefined()
  expect(server.requests.length).toBe(asked)
  expect(await codeOf(backend.put('x', bytesOf('x'), {}, never))).toBe('done')
})

test('a sign-in to OneDrive that sees no drive tells nothing', async () => {
  const server = cleanup.use(await OneDriveServer.start())
  const backend = await open('onedrive', server)
  server.breakNext(({ url }) => url.includes('/me/drive?'), { type: 'answer', status: 403, json: { error: { code: 'accessDenied', message: 'Access denied' } } })
  expect(await backend.space?.(never)).toBeUndefined()
})
