import { constants } from 'node:fs'
import { open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as v from 'valibot'
import { diskError } from '../base/disk-error.ts'
import { errnoOf } from '../base/errno.ts'
import { HoldfastError } from '../base/errors.ts'
import { noTokens, type Account, type KeptTokens } from './account.ts'

/** Where an owner keeps its accounts. */
export interface AccountStore {
  /** As they were last read or written; for what is shown. */
  readonly known: readonly Account[]
  /** As they are now. Errors: those of the disk; version, denied. */
  read(): Promise<readonly Account[]>
  /** Runs `work` while nobody else changes the accounts, in this process or another. `write` resolves when all is on disk. */
  change<T>(work: (accounts: readonly Account[], write: (accounts: readonly Account[]) => Promise<void>) => Promise<T>): Promise<T>
}

/** Turns tokens into text for the file and back; `open` gives undefined where the key is not what it was. */
export interface TokenCodec {
  seal(text: string): string
  open(sealed: string): string | undefined
}

/** For a file that only its owner can read. */
export const plainCodec: TokenCodec = { seal: (text) => text, open: (text) => text }

export interface AccountFileOptions {
  readonly path: string
  readonly codec: TokenCodec
  /** Keeps other processes out until it is disposed. */
  readonly lock: () => Promise<Disposable>
}

const version = 1
const mostBytes = 4 * 1024 * 1024
const text = v.pipe(v.string(), v.minLength(1), v.maxLength(4096))
const entry = v.object({
  service: v.picklist(['dropbox', 'google', 'microsoft', 'box']),
  name: text, id: text, login: text, signedInMs: v.number(), appKey: text,
  state: v.picklist(['signed-in', 'sign-in-again']),
  tokens: v.string(),
})
const content = v.object({ version: v.literal(version), serial: v.pipe(v.number(), v.safeInteger()), accounts: v.pipe(v.array(entry), v.maxLength(1000)) })
const anyVersion = v.object({ version: v.pipe(v.number(), v.integer(), v.minValue(version + 1)) })

const token = v.pipe(v.string(), v.minLength(1), v.maxLength(16_384))
const keptTokens: v.GenericSchema<unknown, KeptTokens> = v.object({
  refresh: v.pipe(v.array(token), v.maxLength(2)),
  access: v.exactOptional(token),
  expiresMs: v.exactOptional(v.number()),
})

type Content = v.InferOutput<typeof content>

const nothing: Content = { version, serial: 0, accounts: [] }

/**
 * Accounts in a file, 0600. What is new is written whole beside it, brought to disk, and put in its place; where a kill came before the last step,
 * the next change finds it there and takes it: a refresh token that a service gave out once is not lost once it is on disk.
 */
export class AccountFile implements AccountStore {
  readonly #options: AccountFileOptions
  #known: readonly Account[] = []
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: AccountFileOptions) {
    this.#options = options
  }

  get known(): readonly Account[] {
    return this.#known
  }

  async read(): Promise<readonly Account[]> {
    return this.#take(await this.#load(this.#options.path) ?? nothing)
  }

  change<T>(work: (accounts: readonly Account[], write: (accounts: readonly Account[]) => Promise<void>) => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => {
      using _lock = await this.#options.lock()
      let now = await this.#recover()
      return await work(this.#take(now), async (accounts) => {
        const next: Content = { version, serial: now.serial + 1, accounts: accounts.map((one) => this.#sealed(one)) }
        await this.#store(next)
        now = next
        this.#known = accounts
      })
    })
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  get #next(): string {
    return `${this.#options.path}.next`
  }

  /** The file, or what a killed process had brought to disk and not yet put in its place. */
  async #recover(): Promise<Content> {
    const { path } = this.#options
    const [now, left] = [await this.#load(path), await this.#load(this.#next).catch(() => undefined)]
    if (left && left.serial > (now?.serial ?? 0)) {
      await this.#onDisk(() => rename(this.#next, path))
      return left
    }
    await this.#onDisk(() => unlinkIfThere(this.#next))
    return now ?? nothing
  }

  async #store(next: Content): Promise<void> {
    await this.#onDisk(async () => {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
      await unlinkIfThere(this.#next)
      const file = await open(this.#next, flags, 0o600)
      try {
        await file.chmod(0o600)
        await file.writeFile(`${JSON.stringify(next, undefined, 2)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(this.#next, this.#options.path)
      await syncFolder(dirname(this.#options.path))
    })
  }

  async #load(path: string): Promise<Content | undefined> {
    const read = await this.#onDisk(() => readIfThere(path))
    if (read === undefined) return undefined
    const value = parseJson(read)
    const parsed = v.safeParse(content, value)
    if (parsed.success) return parsed.output
    if (v.is(anyVersion, value)) throw new HoldfastError('version', `The accounts in ${path} were written by a newer Holdfast.`, { data: { place: 'home' } })
    throw new HoldfastError('arguments', `The accounts in ${path} cannot be understood. Move the file away and sign in again.`, { data: { place: 'home', reason: 'accounts' } })
  }

  #take({ accounts }: Content): readonly Account[] {
    this.#known = accounts.map((one): Account => {
      const tokens = this.#opened(one.tokens)
      return { ...one, tokens: tokens ?? noTokens, state: tokens ? one.state : 'sign-in-again' }
    })
    return this.#known
  }

  #sealed(account: Account): Content['accounts'][number] {
    return { ...account, tokens: this.#options.codec.seal(JSON.stringify(account.tokens)) }
  }

  #opened(sealed: string): KeptTokens | undefined {
    const opened = this.#options.codec.open(sealed)
    const parsed = v.safeParse(keptTokens, opened === undefined ? undefined : parseJson(opened))
    return parsed.success ? parsed.output : undefined
  }

  async #onDisk<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw diskError(error, this.#options.path)
    }
  }
}

/** Nobody else may have written it: it would say where our tokens go, or whose files are backed up to. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    try {
      const stat = await file.stat()
      const me = process.getuid?.()
      if (!stat.isFile()) throw new HoldfastError('denied', `${path} is no plain file.`, { data: { place: 'home' } })
      if (me !== undefined && stat.uid !== me) throw new HoldfastError('denied', `${path} belongs to another user. Move it away and sign in again.`, { data: { place: 'home' } })
      if (stat.size > mostBytes) throw new HoldfastError('denied', `${path} is larger than any file of accounts.`, { data: { place: 'home' } })
      if (me !== undefined && (stat.mode & 0o077) !== 0) await file.chmod(0o600)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

/** So that the name is on disk as well. Not every system can. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
