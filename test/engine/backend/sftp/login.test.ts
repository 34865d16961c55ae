import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fixedCredentials, type Credentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { Sshd } from '../../../servers/sshd.ts'
import { sshKeyPair } from '../../../servers/ssh-keys.ts'
import { names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

let sshd: Sshd
let home: string

beforeAll(async () => {
  sshd = await Sshd.start()
  mkdirSync(sshd.path('r'))
  home = mkdtempSync(join(tmpdir(), 'holdfast-login-'))
})

afterAll(async () => {
  await sshd[Symbol.asyncDispose]()
  rmSync(home, { recursive: true })
})

/** 'in', or what it is refused with: code, words and advice. */
async function login(address: string, credentials: Credentials = {}, options: { readonly home?: string } = {}): Promise<string> {
  try {
    await using backend = await openBackend(address, { credentials: fixedCredentials(credentials), signal: never, ...options })
    await names(backend, '')
    return 'in'
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    return `${error.code}: ${error.message} ${String(error.data['advice'] ?? '')}`
  }
}

describe('the key of a server', () => {
  test('in the address: the right one lets in and is kept nowhere, a wrong one is refused with both', async () => {
    const kept = join(home, 'in address')
    expect(await login(sshd.address('r', { hostKey: sshd.fingerprint }), {}, { home: kept })).toBe('in')
    expect(existsSync(join(kept, 'host-keys'))).toBe(false)
    const wrong = `SHA256:${'A'.repeat(43)}`
    const said = await login(sshd.address('r', { hostKey: wrong }), {}, { home: kept })
    expect(said).toMatch(/^denied: The server 127\.0\.0\.1:\d+ has another key than the address demands: .*Nothing was sent\. Compare the fingerprint/)
    expect(said).toContain(wrong)
    expect(said).toContain(sshd.fingerprint)
  })

  test('changed: refused with old and new and what to do; what it says to do lets in again', async () => {
    await using server = await Sshd.start()
    mkdirSync(server.path('r'))
    const kept = join(home, 'changed')
    const before = server.fingerprint
    expect(await login(server.address('r'), {}, { home: kept })).toBe('in')
    await server.restart('another key')
    const said = await login(server.address('r'), {}, { home: kept })
    expect(said).toMatch(/^denied: The key of the server 127\.0\.0\.1:\d+ has changed: it was .* and now it is .*Nothing was sent\. Somebody may stand between/)
    expect(said).toContain(before)
    expect(said).toContain(server.fingerprint)
    expect(server.fingerprint).not.toBe(before)
    const [, file = ''] = /or delete (\S+)\.$/.exec(said) ?? []
    expect(await login(server.address('r', { hostKey: server.fingerprint }), {}, { home: kept })).toBe('in')
    rmSync(file)
    expect(await login(server.address('r'), {}, { home: kept })).toBe('in')
    expect(readFileSync(file, 'utf8')).toContain(server.fingerprint)
  })

  test('what is remembered of it and makes no sense lets nothing in', async () => {
    const kept = join(home, 'nonsense')
    expect(await login(sshd.address('r'), {}, { home: kept })).toBe('in')
    const [file = ''] = readdirSync(join(kept, 'host-keys'))
    writeFileSync(join(kept, 'host-keys', file), 'ssh-ed25519 SHA256:no\n')
    expect(await login(sshd.address('r'), {}, { home: kept })).toMatch(/^denied: What is remembered of the key of .* cannot be read: .*Delete this file only if/)
  })

  test('several processes that meet the server at once write down one key, and all go by it', async () => {
    const kept = join(home, 'at once')
    const program = `
      import { openBackend } from ${JSON.stringify(join(import.meta.dirname, '../../../../engine/backend/open.ts'))}
      import { fixedCredentials } from ${JSON.stringify(join(import.meta.dirname, '../../../../engine/backend/credentials.ts'))}
      await using backend = await openBackend(${JSON.stringify(sshd.address('r'))}, { credentials: fixedCredentials({}), signal: new AbortController().signal, home: ${JSON.stringify(kept)} })
      for await (const _ of backend.list('', new AbortController().signal));
      process.stdout.write(backend.serverKey() ?? '')`
    const said = await Promise.all(Array.from({ length: 4 }, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
      const chunks: Buffer[] = []
      child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
      await once(child, 'close')
      return Buffer.concat(chunks).toString()
    }))
    expect(said).toEqual(Array.from({ length: 4 }, () => `ssh-ed25519 ${sshd.fingerprint}`))
    const files = readdirSync(join(kept, 'host-keys'))
    expect(files).toHaveLength(1)
    expect(readFileSync(join(kept, 'host-keys', files[0] ?? ''), 'utf8')).toBe(`ssh-ed25519 ${sshd.fingerprint}\n`)
  }, 60_000)
})

describe('a key with a passphrase', () => {
  test('lets in with the right one, and says what to check where it is wrong or missing', async () => {
    const identity = join(home, 'locked')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'offen 1', '-f', identity])
    sshd.authorize(readFileSync(`${identity}.pub`, 'utf8'))
    const address = sshd.address('r', { identity })
    expect(await login(address, { passphrase: 'offen 1' })).toBe('in')
    const wrong = await login(address, { passphrase: 'zu 2' })
    expect(wrong).toMatch(/^credentials: The key file .*locked cannot be used\. Check the passphrase\.$/)
    expect(wrong).not.toContain('zu 2')
    expect(await login(address)).toMatch(/^credentials: The key file .*locked cannot be used\. If it has a passphrase, give it \(HOLDFAST_SFTP_PASSPHRASE\)/)
    const text = sshd.address('r').replace(/\?.*/, '')
    expect(await login(text, { privateKey: readFileSync(identity, 'utf8'), passphrase: 'offen 1' })).toBe('in')
  }, 60_000)

  test.each([['is not there', undefined, 'cannot be read (ENOENT)'], ['is no key', 'hello', 'cannot be used'], ['is the public half', 'public', 'is the public half of a key']])('a key file that %s', async (_, content, words) => {
    const identity = join(home, `bad ${words.length}`)
    if (content !== undefined) writeFileSync(identity, content === 'public' ? sshKeyPair().public : content)
    expect(await login(sshd.address('r', { identity }))).toContain(`credentials: The key file ${identity} ${words}`)
  })

  test('a key that the server does not know is told with what the server takes', async () => {
    const identity = join(home, 'stranger')
    writeFileSync(identity, sshKeyPair().private)
    expect(await login(sshd.address('r', { identity }))).toMatch(/^credentials: The server does not let the user in\. .*authorized_keys on the server\? The server takes: publickey\./)
  })
})

describe('an SSH agent', () => {
  test('that has the key lets in; one without it, and one that is not there, are told', async () => {
    const socket = join(home, 'agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    const before = process.env['SSH_AUTH_SOCK']
    try {
      await expect.poll(() => existsSync(socket), { timeout: 10_000 }).toBe(true)
      process.env['SSH_AUTH_SOCK'] = socket
      const address = sshd.address('r').replace(/\?.*/, '')
      expect(await login(address)).toMatch(/^credentials: The server does not let the user in\./)
      execFileSync('ssh-add', ['-q', sshd.identity], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' })
      expect(await login(address)).toBe('in')
      process.env['SSH_AUTH_SOCK'] = join(home, 'no agent')
      expect(await login(address)).toMatch(/^credentials: The SSH agent did not give a signature\. .*SSH_AUTH_SOCK/)
      Reflect.deleteProperty(process.env, 'SSH_AUTH_SOCK')
      expect(await login(address)).toMatch(/^credentials: Nothing is given to log in to 127\.0\.0\.1:\d+ with\. .*start an SSH agent/)
    } finally {
      if (before === undefined) Reflect.deleteProperty(process.env, 'SSH_AUTH_SOCK')
      else process.env['SSH_AUTH_SOCK'] = before
      agent.kill()
    }
  })
})
