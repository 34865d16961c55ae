import { execFileSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { endDaemon, startDaemon } from './daemon.ts'
import { sshKeyPair } from './ssh-keys.ts'

export interface SshdOptions {
  /** Lines of sshd_config, before all others: the first of a kind holds. */
  readonly settings?: readonly string[]
}

const startMs = 10_000
const pollMs = 20

/**
 * OpenSSH's own sshd on loopback, for the user who runs the tests, with a key of its own. Its files and a folder for repositories are
 * removed with it; it ends with this process, however that ends. Wants Debian's openssh-server (`npm run setup`).
 */
export class Sshd implements AsyncDisposable {
  /** Where repositories may be made. */
  readonly folder: string
  readonly port: number
  /** The user's private key file. */
  readonly identity: string
  readonly privateKey: string
  readonly user = userInfo().username
  readonly #home: string
  readonly #settings: readonly string[]
  #child: ChildProcess

  private constructor(home: string, port: number, privateKey: string, settings: readonly string[]) {
    this.#home = home
    this.#settings = settings
    this.port = port
    this.privateKey = privateKey
    this.identity = join(home, 'id')
    this.folder = join(home, 'files')
    this.#child = this.#spawn()
  }

  static async start({ settings = [] }: SshdOptions = {}): Promise<Sshd> {
    const home = mkdtempSync(join(tmpdir(), 'holdfast-sshd-'))
    mkdirSync(join(home, 'files'))
    // Where sshd shuts itself in while it does not know who is there (as root).
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    const user = sshKeyPair()
    writeFileSync(join(home, 'authorized'), user.public, { mode: 0o600 })
    writeFileSync(join(home, 'id'), user.private, { mode: 0o600 })
    writeFileSync(join(home, 'host'), sshKeyPair().private, { mode: 0o600 })
    const sshd = new Sshd(home, await freePort(), user.private, settings)
    await sshd.#listening()
    return sshd
  }

  /** Of a repository in a folder of its own. */
  address(name: string, settings: Readonly<Record<string, string>> = {}): string {
    const query = new URLSearchParams({ identity: this.identity, ...settings }).toString()
    return `sftp://${this.user}@127.0.0.1:${this.port}${this.path(name)}?${query}`
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** `SHA256:…` of its key, as OpenSSH itself shows it. */
  get fingerprint(): string {
    return /SHA256:[A-Za-z0-9+/]{43}/.exec(execFileSync('ssh-keygen', ['-l', '-f', join(this.#home, 'host')], { encoding: 'utf8' }))?.[0] ?? ''
  }

  /** Lets a key in, given its public half. */
  authorize(publicKey: string): void {
    appendFileSync(join(this.#home, 'authorized'), `\n${publicKey}\n`)
  }

  /** Ends it and all its connections, and starts it anew; with another key if asked for. */
  async restart(how: 'same key' | 'another key' = 'same key'): Promise<void> {
    await this.stop()
    if (how === 'another key') writeFileSync(join(this.#home, 'host'), sshKeyPair().private, { mode: 0o600 })
    this.#child = this.#spawn()
    await this.#listening()
  }

  /** Ends it and all its connections. */
  stop(): Promise<void> {
    return endDaemon(this.#child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.#home, { recursive: true, force: true })
  }

  #spawn(): ChildProcess {
    const config = join(this.#home, 'config')
    writeFileSync(config, [
      ...this.#settings, `Port ${this.port}`, 'ListenAddress 127.0.0.1', `HostKey ${join(this.#home, 'host')}`, `AuthorizedKeysFile ${join(this.#home, 'authorized')}`, 'PidFile none',
      'StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no', ...(this.#settings.some((line) => line.startsWith('MaxStartups')) ? [] : ['MaxStartups 100']), 'Subsystem sftp internal-sftp', '',
    ].join('\n'))
    return startDaemon('/usr/sbin/sshd', ['-D', '-e', '-f', config])
  }

  async #listening(): Promise<void> {
    for (const end = Date.now() + startMs; Date.now() < end; await wait(pollMs)) {
      const answers = await new Promise<boolean>((resolve) => {
        const socket = connect({ port: this.port, host: '127.0.0.1' })
        socket.once('data', () => {
          // Else it counts as one that is about to log in (MaxStartups).
          socket.destroy()
          resolve(true)
        }).once('error', () => { resolve(false) }).once('close', () => { resolve(false) })
      })
      if (answers) return
    }
    throw new Error('sshd did not start. Is openssh-server installed? (npm run setup)')
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
