import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import ssh2, { type AuthContext, type Connection as Client, type FileEntry, type SFTPWrapper } from 'ssh2'
import { sshKeyPair } from './ssh-keys.ts'

const { STATUS_CODE } = ssh2.utils.sftp
const folder = 0o040755
const file = 0o100644
const momentMs = 1000

/** What it does to those who come. Without any of it, it is a small SFTP server of version 3 without extensions, whose files are in memory. */
export interface Hostility {
  /** What lets somebody in, and how it is asked for. */
  readonly password?: string
  readonly asks?: 'password' | 'keyboard-interactive' | 'a code too'
  /** Says this of the size of each file. */
  readonly size?: number
  /** Gives at most so many bytes to a request. */
  readonly readBytes?: number
  /** Lists on and on. */
  readonly endless?: boolean
  /** Never answers requests of this kind. */
  readonly hangs?: 'WRITE' | 'READ' | 'LSTAT'
  /** Ends the connection after so many writes, once. */
  readonly dropsAfterWrites?: number
  /** Takes a write of a file only where it has none of it that is not done. */
  readonly oneWriteAtATime?: boolean
  /** Neither does nor answers this write, counted from 1. */
  readonly forgetsWrite?: number
  /** Refuses writes with these words behind "failure", as servers do that have no number for it. */
  readonly writeFailure?: string
  /** Opens at most so many sessions. */
  readonly sessions?: number
  /** Offers OpenSSH's hard links, and does this when one is asked for: the real thing, or what servers were seen to do, or may do. */
  readonly links?: 'real' | 'moves over what is there' | 'copies over what is there' | 'copies where nothing is' | 'moves where nothing is' | 'looks, and links a moment later' | 'refused'
  /** Speaks no SFTP. */
  readonly noSftp?: boolean
}

/** An SFTP server in this process that does what no real one can be made to do. */
export class HostileSftp implements AsyncDisposable {
  readonly files = new Map<string, Buffer>()
  readonly folders = new Set(['/', '/r'])
  hostility: Hostility
  /** Requests by kind. */
  readonly asked = new Map<string, number>()
  /** Logins that were tried: the method, and whether it let in. */
  readonly logins: string[] = []
  /** A write that came beside another. */
  #hasRefused = false
  readonly #server: ssh2.Server
  readonly #clients = new Set<Client>()
  /** Names of one file, by each of them. */
  readonly #names = new Map<string, Set<string>>()
  /** By the name that is wanted. */
  readonly #aboutToLink = new Map<string, () => void>()

  private constructor(hostility: Hostility) {
    this.hostility = hostility
    this.#server = new ssh2.Server({ hostKeys: [sshKeyPair().private] }, (client) => { this.#serve(client) })
  }

  static async start(hostility: Hostility = {}): Promise<HostileSftp> {
    const server = new HostileSftp({ password: 'geheim', ...hostility })
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get address(): string {
    return `sftp://anna@127.0.0.1:${(this.#server.address() as AddressInfo).port}/r`
  }

  /** Ends all connections. */
  drop(): void {
    for (const client of this.#clients) client.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.end()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(client: Client): void {
    this.#clients.add(client)
    let sessions = 0
    client.on('error', () => undefined).on('close', () => this.#clients.delete(client))
    client.on('authentication', (context) => { this.#login(context) })
    client.on('session', (accept, reject) => {
      if (++sessions > (this.hostility.sessions ?? 10)) {
        reject()
        return
      }
      accept().on('sftp', (acceptSftp, rejectSftp) => {
        if (this.hostility.noSftp) rejectSftp()
        else {
          const sftp = acceptSftp()
          if (this.hostility.links !== undefined) offer(sftp, 'hardlink@openssh.com', '1')
          this.#answer(sftp, client)
        }
      })
    })
  }

  #login(context: AuthContext): void {
    const { password, asks = 'password' } = this.hostility
    const method = asks === 'password' ? 'password' : 'keyboard-interactive'
    const end = (good: boolean): void => {
      this.logins.push(`${context.method} ${good ? 'in' : 'refused'}`)
      if (good) context.accept()
      else context.reject([method])
    }
    if (context.method !== method) end(false)
    else if (context.method === 'password') end(context.password === password)
    else {
      const prompts = [{ prompt: 'Password:', echo: false }, ...(asks === 'a code too' ? [{ prompt: 'Code:', echo: true }] : [])]
      context.prompt(prompts, (answers) => { end(answers?.[0] === password && answers.length === prompts.length) })
    }
  }

  #link(from: string, to: string, done: (good: boolean) => void): void {
    const { links } = this.hostility
    const bytes = this.files.get(from)
    const taken = this.files.has(to)
    if (!bytes || links === undefined || links === 'refused' || (taken && !links.includes('over'))) {
      done(false)
      return
    }
    const give = (): void => {
      this.files.set(to, bytes)
      if (links.startsWith('moves')) this.files.delete(from)
      if (links === 'real' || links.startsWith('looks')) {
        const names = this.#names.get(from) ?? new Set([from])
        for (const name of names.add(to)) this.#names.set(name, names)
      }
      done(true)
    }
    if (!links.startsWith('looks')) {
      give()
      return
    }
    // A moment that lasts until another wants the same name, too.
    const before = this.#aboutToLink.get(to)
    const timer = setTimeout(() => {
      this.#aboutToLink.delete(to)
      give()
    }, momentMs)
    const now = (): void => {
      clearTimeout(timer)
      give()
    }
    if (before) {
      this.#aboutToLink.delete(to)
      before()
      now()
    } else this.#aboutToLink.set(to, now)
  }

  #answer(sftp: SFTPWrapper, client: Client): void {
    const handles = new Map<string, { readonly path: string; listed: boolean; writing?: boolean }>()
    let last = 0
    const opened = (id: number, path: string): void => {
      const name = String(++last)
      handles.set(name, { path, listed: false })
      sftp.handle(id, Buffer.from(name))
    }
    const on = (kind: 'OPEN' | 'READ' | 'WRITE' | 'FSTAT' | 'CLOSE' | 'OPENDIR' | 'READDIR' | 'LSTAT' | 'STAT' | 'REMOVE' | 'REALPATH' | 'MKDIR' | 'RENAME' | 'EXTENDED', act: (id: number, a: unknown, b: unknown, c: unknown) => void): void => {
      sftp.on(kind as string, (id: number, a: unknown, b: unknown, c: unknown) => {
        this.asked.set(kind, (this.asked.get(kind) ?? 0) + 1)
        if (this.hostility.hangs !== kind) act(id, a, b, c)
      })
    }
    const status = (id: number, good: boolean, otherwise = STATUS_CODE.NO_SUCH_FILE): void => { sftp.status(id, good ? STATUS_CODE.OK : otherwise) }
    const attributes = (path: string): FileEntry['attrs'] | undefined => {
      const bytes = this.files.get(path)
      if (!bytes && !this.folders.has(path)) return undefined
      return { mode: bytes ? file : folder, size: bytes ? (this.hostility.size ?? bytes.length) : 0, uid: 0, gid: 0, atime: 0, mtime: Math.floor(Date.now() / 1000) }
    }
    const tell = (id: number, path: string): void => {
      const found = attributes(path)
      if (found) sftp.attrs(id, found)
      else status(id, false)
    }
    const of = (handle: unknown): { readonly path: string; listed: boolean; writing?: boolean } => handles.get(String(handle)) ?? { path: '?', listed: true }
    on('OPEN', (id, path, flags) => {
      const at = String(path)
      if ((Number(flags) & ssh2.utils.sftp.OPEN_MODE.CREAT) !== 0) this.files.set(at, Buffer.alloc(0))
      if (this.files.has(at)) opened(id, at)
      else status(id, false)
    })
    on('READ', (id, handle, offset, length) => {
      const bytes = (this.files.get(of(handle).path) ?? Buffer.alloc(0)).subarray(Number(offset), Number(offset) + Math.min(Number(length), this.hostility.readBytes ?? Infinity))
      if (bytes.length === 0) status(id, false, STATUS_CODE.EOF)
      else sftp.data(id, bytes)
    })
    on('WRITE', (id, handle, offset, data) => {
      const { dropsAfterWrites } = this.hostility
      if (dropsAfterWrites !== undefined && (this.asked.get('WRITE') ?? 0) > dropsAfterWrites) {
        const { dropsAfterWrites: _, ...rest } = this.hostility
        this.hostility = rest
        client.end()
        return
      }
      if (this.asked.get('WRITE') === this.hostility.forgetsWrite) return
      if (this.hostility.oneWriteAtATime) {
        if (of(handle).writing) {
          this.#hasRefused = true
          sftp.status(id, STATUS_CODE.FAILURE, 'Illegal seek')
          return
        }
        of(handle).writing = true
        // The first one waits for one beside it, however slow the client is.
        setTimeout(() => { of(handle).writing = false; write(id, handle, offset, data) }, this.#hasRefused ? 5 : 1000)
        return
      }
      write(id, handle, offset, data)
    })
    const write = (id: number, handle: unknown, offset: unknown, data: unknown): void => {
      const { writeFailure } = this.hostility
      if (writeFailure !== undefined) {
        sftp.status(id, STATUS_CODE.FAILURE, writeFailure)
        return
      }
      const { path } = of(handle)
      const [before, bytes] = [this.files.get(path) ?? Buffer.alloc(0), data as Buffer]
      const after = Buffer.alloc(Math.max(before.length, Number(offset) + bytes.length))
      before.copy(after)
      bytes.copy(after, Number(offset))
      // What was removed meanwhile has no name any more.
      for (const name of this.#names.get(path) ?? [path]) if (this.files.has(name)) this.files.set(name, after)
      status(id, true)
    }
    on('FSTAT', (id, handle) => { tell(id, of(handle).path) })
    on('CLOSE', (id) => { status(id, true) })
    on('OPENDIR', (id, path) => {
      if (this.folders.has(String(path))) opened(id, String(path))
      else status(id, false)
    })
    on('READDIR', (id, handle) => {
      const open = of(handle)
      const begin = open.path === '/' ? '/' : `${open.path}/`
      const names = [...this.files.keys(), ...this.folders].filter((one) => one.startsWith(begin) && one !== open.path && !one.slice(begin.length).includes('/'))
      const entries = names.map((one) => ({ filename: one.slice(begin.length), longname: '', attrs: attributes(one) ?? { mode: 0, size: 0, uid: 0, gid: 0, atime: 0, mtime: 0 } }))
      const more = this.hostility.endless ? Array.from({ length: 500 }, (_, index) => ({ filename: `x${++last}-${index}`, longname: '', attrs: { mode: file, size: 1, uid: 0, gid: 0, atime: 0, mtime: 0 } })) : []
      if (open.listed && !this.hostility.endless) status(id, false, STATUS_CODE.EOF)
      else sftp.name(id, [...entries, ...more])
      open.listed = true
    })
    on('LSTAT', (id, path) => { tell(id, String(path)) })
    on('STAT', (id, path) => { tell(id, String(path)) })
    on('REMOVE', (id, path) => {
      this.#names.get(String(path))?.delete(String(path))
      status(id, this.files.delete(String(path)))
    })
    on('EXTENDED', (id, name, data) => {
      const [from, to] = stringsOf(data as Buffer)
      if (name !== 'hardlink@openssh.com' || from === undefined || to === undefined) status(id, false, STATUS_CODE.OP_UNSUPPORTED)
      else this.#link(from, to, (good) => { status(id, good, STATUS_CODE.FAILURE) })
    })
    on('REALPATH', (id, path) => { sftp.name(id, [{ filename: path === '.' ? '/' : String(path), longname: '', attrs: { mode: folder, size: 0, uid: 0, gid: 0, atime: 0, mtime: 0 } }]) })
    on('MKDIR', (id, path) => {
      const isNew = !this.folders.has(String(path))
      this.folders.add(String(path))
      status(id, isNew, STATUS_CODE.FAILURE)
    })
    on('RENAME', (id, from, to) => {
      const bytes = this.files.get(String(from))
      const taken = this.files.has(String(to))
      if (bytes && !taken) {
        this.files.set(String(to), bytes)
        this.files.delete(String(from))
      }
      status(id, bytes !== undefined && !taken, taken ? STATUS_CODE.FAILURE : STATUS_CODE.NO_SUCH_FILE)
    })
  }
}

/** ssh2's server says of itself that it has no extensions: this adds one to its first word in a session. */
function offer(sftp: SFTPWrapper, extension: string, version: string): void {
  const protocol = Reflect.get(sftp, '_protocol') as { channelData(channel: number, data: Buffer): void }
  const more = Buffer.concat([extension, version].map(stringBytes))
  Reflect.set(sftp, '_protocol', new Proxy(protocol, {
    get(target, name) {
      if (name !== 'channelData') {
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) as unknown : value
      }
      return (channel: number, data: Buffer): void => {
        Reflect.set(sftp, '_protocol', protocol)
        const length = Buffer.alloc(4)
        length.writeUInt32BE(data.readUInt32BE(0) + more.length)
        target.channelData(channel, Buffer.concat([length, data.subarray(4), more]))
      }
    },
  }))
}

function stringBytes(text: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(Buffer.byteLength(text))
  return Buffer.concat([length, Buffer.from(text)])
}

function stringsOf(bytes: Buffer): readonly string[] {
  const strings: string[] = []
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at)
    strings.push(bytes.toString('utf8', at + 4, end))
    at = end
  }
  return strings
}
