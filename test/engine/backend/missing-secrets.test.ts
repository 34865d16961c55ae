import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { credentialSource } from '../../../engine/accounts/source.ts'
import { openBackend } from '../../../engine/backend/open.ts'
import { systemClock } from '../../../engine/base/clock.ts'
import { HoldfastError, toWireError } from '../../../engine/base/errors.ts'
import { openAccounts } from '../../../engine/cli/accounts/owner.ts'
import { adviceFor } from '../../../engine/cli/words.ts'
import { providers } from '../../../engine/protocol/providers/registry.ts'

const never = new AbortController().signal
/** Answers nobody: whatever is asked of it counts. */
const server = createServer((_, response) => {
  asked++
  response.writeHead(401, { 'www-authenticate': 'Basic realm="files"' }).end()
})
let asked = 0
let origin: string
let home: string

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'holdfast-missing-'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.close()
  rmSync(home, { recursive: true })
})

/** What the command line says and advises when a repository is looked for with nothing given but its address. */
async function said(address: string): Promise<{ readonly code: string; readonly words: string }> {
  const agent = process.env['SSH_AUTH_SOCK']
  delete process.env['SSH_AUTH_SOCK']
  asked = 0
  try {
    const owner = openAccounts(home, {}, systemClock)
    const credentials = credentialSource(address, { entered: {}, owner, clock: systemClock, signal: never })
    await using backend = await openBackend(address, { credentials, signal: never, service: origin })
    await backend.stat('config', never)
    throw new Error(`${address} opens without any secret`)
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    return { code: error.code, words: `${error.message} ${adviceFor(toWireError(error)) ?? ''}` }
  } finally {
    if (agent !== undefined) process.env['SSH_AUTH_SOCK'] = agent
  }
}

/** Whether a password is needed is the server's to say, and rclone has its own. */
const asksTheServer = ['webdav', 'rclone']

test.each(providers.filter(({ id }) => !asksTheServer.includes(id)))('$name without its secrets says what to give, and asks nothing of the network', async ({ example, signIn, secrets }) => {
  const { code, words } = await said(example.replace('?account=…', '').replace('region=…', 'region=x'))
  expect([code, asked]).toEqual(['credentials', 0])
  const wanted = signIn === undefined ? secrets.filter(({ required }) => required).flatMap(({ variables, fileVariables = [] }) => [...variables, ...fileVariables]) : [`holdfast login ${signIn}`]
  for (const one of wanted) expect(words).toContain(one)
  // Of several ways, none of which has to be, one is named at least.
  expect(wanted.length > 0 || secrets.some(({ variables }) => variables.some((one) => words.includes(one)))).toBe(true)
})

test.each([['', 'name the user in the address'], ['?user=anna', 'wants a password']])('a WebDAV server that wants a password says which variable has it (%s)', async (user, words) => {
  const failure = await said(`webdav:${origin}/folder${user}`)
  expect(failure.code).toBe('credentials')
  expect(failure.words).toContain('HOLDFAST_WEBDAV_PASSWORD')
  expect(failure.words).toContain(words)
})
