import { createHash, randomBytes } from 'node:crypto'
import { link, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { diskError } from '../../base/disk-error.ts'
import { hasErrno } from '../../base/errno.ts'
import { HoldfastError } from '../../base/errors.ts'
import { makePrivateFolder } from '../../base/private-folder.ts'
import { hostAndPort, type SftpAddress } from './address.ts'

/** A server's key as people compare it: `ssh-ed25519` and `SHA256:…`, as `ssh-keygen -l` shows it. */
export interface HostKey {
  readonly type: string
  readonly fingerprint: string
}

/** In HOLDFAST_HOME: a file for each server, with one line. Deleting the file lets the server's next key in. */
const hostKeyFolder = 'host-keys'

const line = /^([a-z0-9@.-]{1,64}) (SHA256:[A-Za-z0-9+/]{43})\n?$/
const longestLine = 256

/** Of a key as it comes from the server (RFC 4253, 6.6). Errors: unavailable. */
export function hostKeyOf(key: Buffer): HostKey {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0
  const type = key.toString('latin1', 4, 4 + length)
  if (!/^[a-z0-9@.-]{1,64}$/.test(type)) throw new HoldfastError('unavailable', 'The server\'s key has no kind that SSH knows.')
  return { type, fingerprint: `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}` }
}

export function shownHostKey({ type, fingerprint }: HostKey): string {
  return `${type} ${fingerprint}`
}

/**
 * The keys that servers had when they were first met. One file a server, made whole and only where there is none: any number of
 * processes may meet a server at once, and all go by the key that one of them wrote down. Without a home, keys hold for this object's life.
 */
export class HostKeys {
  readonly #folder: string | undefined
  readonly #met = new Map<string, HostKey>()

  constructor(home: string | undefined) {
    this.#folder = home === undefined ? undefined : join(home, hostKeyFolder)
  }

  /** The file of a server, which a person deletes where its key was changed on purpose; undefined without a home. */
  fileOf(server: SftpAddress): string | undefined {
    return this.#folder === undefined ? undefined : join(this.#folder, encodeURIComponent(`${server.host}_${server.port}`))
  }

  /** Errors: denied (the file makes no sense), full, … */
  async known(server: SftpAddress): Promise<HostKey | undefined> {
    const path = this.fileOf(server)
    if (path === undefined) return this.#met.get(hostAndPort(server))
    let text: string
    try {
      text = await readFile(path, 'utf8')
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return undefined
      throw diskError(error, path)
    }
    const [, type, fingerprint] = text.length <= longestLine ? (line.exec(text) ?? []) : []
    if (type !== undefined && fingerprint !== undefined) return { type, fingerprint }
    throw new HoldfastError('denied', `What is remembered of the key of ${hostAndPort(server)} cannot be read: ${path}. Delete this file only if you can compare the server's key by other means.`)
  }

  /** Writes down the key of a server that is met for the first time. Where another process did so meanwhile, what it wrote stays: compare again. */
  async meet(server: SftpAddress, key: HostKey): Promise<void> {
    const path = this.fileOf(server)
    if (path === undefined) {
      const at = hostAndPort(server)
      if (!this.#met.has(at)) this.#met.set(at, key)
      return
    }
    makePrivateFolder(join(path, '..'))
    const fresh = `${path}.${randomBytes(8).toString('hex')}`
    try {
      {
        await using file = await open(fresh, 'wx', 0o600)
        await file.writeFile(`${shownHostKey(key)}\n`)
        await file.sync()
      }
      await link(fresh, path)
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw diskError(error, path)
    } finally {
      await unlink(fresh).catch(() => undefined)
    }
  }
}

/**
 * The key that a server shows is the one that the address demands, or else the one that it was met with, if it was.
 * Errors: denied, with both fingerprints and what to do.
 */
export async function expectHostKey(keys: HostKeys, server: SftpAddress, key: HostKey): Promise<void> {
  if (server.hostKey === undefined) {
    const known = await keys.known(server)
    if (known && known.fingerprint !== key.fingerprint) throw changed(server, known, key, keys.fileOf(server))
    return
  }
  if (server.hostKey === key.fingerprint) return
  throw new HoldfastError('denied', `The server ${hostAndPort(server)} has another key than the address demands: it shows ${shownHostKey(key)}, and hostKey is ${server.hostKey}. Nothing was sent.`, {
    data: { reason: 'HostKeyChanged', advice: 'Compare the fingerprint with one from whoever runs the server. Until they agree, somebody may stand between.' },
  })
}

function changed(server: SftpAddress, known: HostKey, key: HostKey, file: string | undefined): HoldfastError {
  const accept = file === undefined ? 'and connect anew' : `or delete ${file}`
  return new HoldfastError('denied', `The key of the server ${hostAndPort(server)} has changed: it was ${shownHostKey(known)}, and now it is ${shownHostKey(key)}. Nothing was sent.`, {
    data: {
      reason: 'HostKeyChanged',
      advice: `Somebody may stand between, or the server was set up anew. Ask whoever runs it for its fingerprint. If it is the new one, put hostKey=${key.fingerprint} into the address, ${accept}.`,
    },
  })
}
