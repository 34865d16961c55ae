import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { closeFile } from '../system/private-folder.ts'

/** Turns a secret into bytes that may lie in a file, and back. `open` throws where the bytes or the key are not what they were. */
export interface SecretCipher {
  readonly kind: 'keychain' | 'file'
  seal(text: string): Uint8Array
  open(sealed: Uint8Array): string
}

/** The part of Electron's safeStorage that is used; the last function exists on Linux in newer versions only. */
export interface KeychainPort {
  isEncryptionAvailable(): boolean
  encryptString(text: string): Uint8Array
  decryptString(sealed: Buffer): string
  getSelectedStorageBackend?(): string
}

/** The desktop's keychain, or undefined where there is none: `basic_text` is a key that everybody knows. */
export function keychainCipher(keychain: KeychainPort): SecretCipher | undefined {
  if (!keychain.isEncryptionAvailable() || keychain.getSelectedStorageBackend?.() === 'basic_text') return undefined
  return {
    kind: 'keychain',
    seal: (text) => keychain.encryptString(text),
    open: (sealed) => keychain.decryptString(Buffer.from(sealed)),
  }
}

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/**
 * AES-256-GCM under a random key in a file that only the user can read, made at the first `seal`. Keeps secrets out of
 * copies of the secrets file; it does not protect from programs of the same user.
 */
export function keyFileCipher(path: string): SecretCipher {
  return {
    kind: 'file',
    seal(text) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', keyOf(path, true), nonce)
      return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    },
    open(sealed) {
      const decipher = createDecipheriv('aes-256-gcm', keyOf(path, false), sealed.subarray(0, nonceBytes))
      decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
      const body = sealed.subarray(nonceBytes, sealed.length - tagBytes)
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
    },
  }
}

function keyOf(path: string, create: boolean): Buffer {
  if (create && !existsSync(path)) writeFileSync(path, randomBytes(keyBytes), { mode: 0o600, flag: 'wx' })
  closeFile(path)
  const key = readFileSync(path)
  if (key.length !== keyBytes) throw new Error('the key file is damaged')
  return key
}
