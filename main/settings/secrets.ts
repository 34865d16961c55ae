import * as v from 'valibot'
import type { JobSecrets } from '../../engine/protocol/job.ts'
import { sameSpelling } from '../../engine/protocol/providers/address.ts'
import type { SecretsInput } from '../api/contract.ts'
import type { SecretCipher } from './ciphers.ts'
import { VersionedFile } from './versioned-file.ts'

/** Keeps the secrets of repositories by the ids of their records, each with the address that it was entered for. Values leave it only towards an engine for that address. */
export interface SecretStore {
  readonly storage: 'keychain' | 'file'
  /** Undefined when there are none, they were entered for another address, or they cannot be opened (another keychain, a lost key). */
  get(id: string, address: string): JobSecrets | undefined
  /** Which secrets are there, without opening them. */
  has(id: string): { readonly password: boolean; readonly storage: boolean }
  set(id: string, address: string, secrets: JobSecrets): Promise<void>
  remove(id: string): Promise<void>
}

const entry = v.object({
  cipher: v.picklist(['keychain', 'file']),
  sealed: v.pipe(v.string(), v.base64()),
  hasStorage: v.boolean(),
})
const fileSchema = v.record(v.string(), entry)
/** The address is sealed with the secrets: no other file can say that they belong elsewhere. */
const sealedSchema = v.object({ address: v.string(), password: v.string(), storage: v.record(v.string(), v.string()) })

type Entries = v.InferOutput<typeof fileSchema>

/** @param ciphers the first one seals what is new; the others open what they sealed before. */
export function openSecrets(path: string, ciphers: readonly [SecretCipher, ...SecretCipher[]], now: () => number): { readonly store: SecretStore; readonly movedTo: string | undefined } {
  const file = new VersionedFile<Entries>({ path, schema: fileSchema, migrations: [], initial: {}, now })
  const [current] = ciphers
  const store: SecretStore = {
    storage: current.kind,
    get(id, address) {
      const found = file.value[id]
      const cipher = ciphers.find((one) => one.kind === found?.cipher)
      return found && cipher ? openEntry(cipher, found.sealed, address) : undefined
    },
    has(id) {
      const found = file.value[id]
      return { password: found !== undefined, storage: found?.hasStorage ?? false }
    },
    set(id, address, secrets) {
      const sealed = Buffer.from(current.seal(JSON.stringify({ address, ...secrets }))).toString('base64')
      const hasStorage = Object.keys(secrets.storage).length > 0
      return file.set({ ...file.value, [id]: { cipher: current.kind, sealed, hasStorage } })
    },
    remove(id) {
      const { [id]: _gone, ...kept } = file.value
      return file.set(kept)
    },
  }
  return { store, movedTo: file.movedTo }
}

function openEntry(cipher: SecretCipher, sealed: string, wanted: string): JobSecrets | undefined {
  try {
    const { address, ...secrets } = v.parse(sealedSchema, JSON.parse(cipher.open(Buffer.from(sealed, 'base64'))))
    // Addresses are compared by what they mean: an older version wrote some of them otherwise.
    return sameSpelling(address) === sameSpelling(wanted) ? secrets : undefined
  } catch {
    // The reason may quote the secret; that it cannot be opened is all there is to say.
    return undefined
  }
}

/** What the window sent, over what is kept. Undefined without a password. */
export function mergeSecrets(kept: JobSecrets | undefined, input: SecretsInput): JobSecrets | undefined {
  const password = input.password ?? kept?.password
  if (password === undefined) return undefined
  return { password, storage: input.storage ? { ...input.storage } : (kept?.storage ?? {}) }
}
