import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { keychainCipher, keyFileCipher } from '../../../main/settings/ciphers.ts'
import type { KeychainPort, SecretCipher } from '../../../main/settings/ciphers.ts'
import { mergeSecrets, openSecrets } from '../../../main/settings/secrets.ts'

const secrets = { password: 'correct horse', storage: { accessKeyId: 'AKIA', secretAccessKey: 'deadbeef' } }

const here = 's3://bucket/mine?endpoint=https%3A%2F%2Fs3.example.com'

function setUp() {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-secrets-'))
  const [path, key] = [join(folder, 'secrets.json'), join(folder, 'secrets.key')]
  return { path, key, open: (...ciphers: [SecretCipher, ...SecretCipher[]]) => openSecrets(path, ciphers, () => 0).store }
}

/** Stands for a desktop's keychain: reversible, and not the identity. */
function keychain(more: Partial<KeychainPort> = {}): KeychainPort {
  const flip = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0x55))
  return { isEncryptionAvailable: () => true, encryptString: (text) => flip(Buffer.from(text)), decryptString: (sealed) => flip(sealed).toString(), ...more }
}

describe('in a file', () => {
  it('secrets survive a restart, and lie in clear nowhere', async () => {
    const { path, key, open } = setUp()
    await open(keyFileCipher(key)).set('job-1', here, secrets)
    const again = open(keyFileCipher(key))
    expect(again.get('job-1', here)).toEqual(secrets)
    expect(again.has('job-1')).toEqual({ password: true, storage: true })
    expect(again.storage).toBe('file')
    for (const one of [path, key]) expect(statSync(one).mode & 0o777).toBe(0o600)
    const text = readFileSync(path, 'utf8') + Buffer.from(readFileSync(path, 'utf8'), 'base64').toString('latin1')
    for (const secret of [secrets.password, 'deadbeef', 'AKIA']) expect(text).not.toContain(secret)
  })

  it('a changed byte, another key or a lost key opens nothing, and breaks nothing', async () => {
    const { path, key, open } = setUp()
    await open(keyFileCipher(key)).set('job-1', here, secrets)
    const stored = JSON.parse(readFileSync(path, 'utf8')) as { data: Record<string, { sealed: string }> }
    const sealed = Buffer.from(stored.data['job-1']?.sealed ?? '', 'base64')
    sealed[20] = (sealed[20] ?? 0) ^ 1
    const damaged = JSON.stringify({ ...stored, data: { 'job-1': { ...stored.data['job-1'], sealed: sealed.toString('base64') } } })
    const intact = readFileSync(path)
    writeFileSync(path, damaged)
    expect(open(keyFileCipher(key)).get('job-1', here)).toBeUndefined()
    writeFileSync(path, intact)
    expect(open(keyFileCipher(`${key}-lost`)).get('job-1', here)).toBeUndefined()
    expect(open(keyFileCipher(key)).get('job-1', here)).toEqual(secrets)
  })

  it('belong to the address that they were entered for, and open for no other', async () => {
    const { path, key, open } = setUp()
    const store = open(keyFileCipher(key))
    await store.set('job-1', here, secrets)
    for (const other of ['s3://bucket/mine?endpoint=https%3A%2F%2Fevil.example', 's3://other/mine?endpoint=https%3A%2F%2Fs3.example.com', 'file:///backup', '', `${here}&region=x`]) {
      expect(store.get('job-1', other)).toBeUndefined()
    }
    // What the file says beside the sealed part counts for nothing.
    const stored = JSON.parse(readFileSync(path, 'utf8')) as { data: Record<string, object> }
    writeFileSync(path, JSON.stringify({ ...stored, data: { 'job-1': { ...stored.data['job-1'], address: 'file:///evil' } } }))
    expect(open(keyFileCipher(key)).get('job-1', 'file:///evil')).toBeUndefined()
    expect(open(keyFileCipher(key)).get('job-1', here)).toEqual(secrets)
  })

  it('seals the same secret differently each time, and forgets it when told', async () => {
    const { key, open } = setUp()
    const cipher = keyFileCipher(key)
    expect(Buffer.from(cipher.seal('x')).equals(Buffer.from(cipher.seal('x')))).toBe(false)
    const store = open(cipher)
    await store.set('job-1', here, secrets)
    await store.remove('job-1')
    expect(store.get('job-1', here)).toBeUndefined()
    expect(store.has('job-1')).toEqual({ password: false, storage: false })
  })
})

describe('in a keychain', () => {
  it('is used only where it really encrypts', () => {
    expect(keychainCipher(keychain({ isEncryptionAvailable: () => false }))).toBeUndefined()
    expect(keychainCipher(keychain({ getSelectedStorageBackend: () => 'basic_text' }))).toBeUndefined()
    expect(keychainCipher(keychain({ getSelectedStorageBackend: () => 'gnome_libsecret' }))?.kind).toBe('keychain')
  })

  it('takes over from the file: what is there still opens, what is new goes to the keychain', async () => {
    const { key, open } = setUp()
    const file = keyFileCipher(key)
    await open(file).set('old', here, secrets)
    const chain = keychainCipher(keychain())
    if (!chain) throw new Error('no keychain')
    const store = open(chain, file)
    await store.set('new', here, { password: 'p', storage: {} })
    expect(store.get('old', here)).toEqual(secrets)
    expect(store.get('new', here)).toEqual({ password: 'p', storage: {} })
    expect(open(file).get('new', here)).toBeUndefined()
  })
})

it('what the window sends is laid over what is kept', () => {
  expect(mergeSecrets(undefined, {})).toBeUndefined()
  expect(mergeSecrets(undefined, { password: 'p' })).toEqual({ password: 'p', storage: {} })
  expect(mergeSecrets(secrets, { password: 'new' })).toEqual({ ...secrets, password: 'new' })
  expect(mergeSecrets(secrets, { storage: { accessKeyId: 'a', secretAccessKey: 'b' } })).toEqual({ password: secrets.password, storage: { accessKeyId: 'a', secretAccessKey: 'b' } })
})
