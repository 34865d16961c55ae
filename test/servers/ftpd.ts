import { spawnSync, type ChildProcess } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { unpackedFolder } from '../../build/scripts/unpacked.ts'
import { endDaemon, startDaemon } from './daemon.ts'
import { freePort } from './sshd.ts'

export type FtpProgram = 'vsftpd' | 'proftpd'

export interface FtpdOptions {
  readonly program: FtpProgram
  readonly tls: 'none' | 'explicit' | 'implicit'
  /** More lines of the program's configuration. */
  readonly settings?: readonly string[]
}

const startMs = 10_000
const pollMs = 20
/** Where `npm run setup` unpacks it: Debian lets nobody install both. */
const proftpd = unpackedFolder('proftpd')
/** Whose files they are: comes with vsftpd, and has a home, into which vsftpd goes before anything else. */
const user = 'ftp'

/**
 * A real FTP server on loopback, with a certificate that it has signed itself: vsftpd (no MLSD, no hashes; anonymous) or proftpd (both; user and
 * password). Its files are removed with it; it ends with this process, however that ends. Wants root, and `npm run setup`.
 */
export class Ftpd implements AsyncDisposable {
  readonly port: number
  /** PEM file of its certificate. */
  readonly certificate: string
  /** As the backend's secrets want them. */
  readonly secrets: Readonly<Record<string, string>>
  readonly #options: FtpdOptions
  readonly #home: string
  #child: ChildProcess

  private constructor(options: FtpdOptions, home: string, port: number) {
    this.#options = options
    this.#home = home
    this.port = port
    this.certificate = join(home, 'cert.pem')
    this.secrets = options.program === 'proftpd' ? { password: 'geheim 1' } : {}
    this.#child = this.#spawn()
  }

  static async start(options: FtpdOptions): Promise<Ftpd> {
    const home = mkdtempSync(join(tmpdir(), 'holdfast-ftpd-'))
    chmodSync(home, 0o755)
    mkdirSync(join(home, 'files/data'), { recursive: true })
    chownSync(join(home, 'files/data'), uid(), uid())
    makeCertificate(home)
    const ftpd = new Ftpd(options, home, await freePort())
    await ftpd.#listening()
    return ftpd
  }

  /** `SHA256:…` of the certificate. */
  get fingerprint(): string {
    const { raw } = new X509Certificate(readFileSync(this.certificate))
    return `SHA256:${createHash('sha256').update(raw).digest('base64').replace(/=+$/, '')}`
  }

  /** Of a repository in a folder of its own, whose certificate is trusted by its fingerprint. */
  address(name: string, settings: Readonly<Record<string, string>> = { fingerprint: this.fingerprint }): string {
    const { program, tls } = this.#options
    const query = new URLSearchParams(tls === 'none' ? {} : { ...(tls === 'implicit' ? { tls } : {}), ...settings }).toString()
    return `${tls === 'none' ? 'ftp' : 'ftps'}://${program === 'proftpd' ? 'anna@' : ''}127.0.0.1:${this.port}/data/${name}${query === '' ? '' : `?${query}`}`
  }

  /** On this machine's disk. */
  path(name: string): string {
    return join(this.#home, 'files/data', name)
  }

  /** Makes a folder that the server's user may write to. */
  makeFolder(name: string): void {
    mkdirSync(this.path(name))
    chownSync(this.path(name), uid(), uid())
  }

  async restart(): Promise<void> {
    await this.stop()
    this.#child = this.#spawn()
    await this.#listening()
  }

  /** Ends it, and all its connections. */
  stop(): Promise<void> {
    return endDaemon(this.#child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.#home, { recursive: true, force: true })
  }

  #spawn(): ChildProcess {
    const config = join(this.#home, 'config')
    const { program, settings = [] } = this.#options
    writeFileSync(config, [...(program === 'vsftpd' ? this.#vsftpd() : this.#proftpd()), ...settings, ''].join('\n'), { mode: 0o600 })
    const [command, ...words] = program === 'vsftpd' ? ['/usr/sbin/vsftpd', config] as const : [join(proftpd, 'usr/sbin/proftpd'), '-n', '-c', config] as const
    if (!existsSync(command)) throw new Error(`${program} is not there: npm run setup`)
    // The first process of its space would get orphans that are not its own; vsftpd 3.0.3 dies of the end of such a one.
    return startDaemon('/bin/sh', ['-c', '"$@"; exit', 'sh', command, ...words])
  }

  #vsftpd(): readonly string[] {
    const { tls } = this.#options
    mkdirSync('/var/run/vsftpd/empty', { recursive: true })
    return [
      'listen=YES', 'listen_address=127.0.0.1', `listen_port=${this.port}`, 'background=NO', 'seccomp_sandbox=NO', 'isolate=NO', 'isolate_network=NO',
      'anonymous_enable=YES', 'local_enable=NO', 'no_anon_password=YES', 'write_enable=YES', 'anon_upload_enable=YES', 'anon_mkdir_write_enable=YES',
      'anon_other_write_enable=YES', 'anon_world_readable_only=NO', 'anon_umask=077', `anon_root=${join(this.#home, 'files')}`, `ftp_username=${user}`,
      'xferlog_enable=NO', 'secure_chroot_dir=/var/run/vsftpd/empty',
      ...(tls === 'none' ? [] : [
        'ssl_enable=YES', 'allow_anon_ssl=YES', 'force_anon_data_ssl=YES', 'force_anon_logins_ssl=YES', 'require_ssl_reuse=YES', `implicit_ssl=${tls === 'implicit' ? 'YES' : 'NO'}`,
        `rsa_cert_file=${this.certificate}`, `rsa_private_key_file=${join(this.#home, 'key.pem')}`,
      ]),
    ]
  }

  #proftpd(): readonly string[] {
    const { tls } = this.#options
    const users = join(this.#home, 'users')
    const hash = spawnSync('openssl', ['passwd', '-6', 'geheim 1'], { encoding: 'utf8' }).stdout.trim()
    writeFileSync(users, `anna:${hash}:${uid()}:${uid()}::${join(this.#home, 'files')}:/bin/sh\n`, { mode: 0o600 })
    return [
      'ServerType standalone', 'DefaultServer on', `ModulePath ${join(proftpd, 'usr/lib/proftpd')}`, 'LoadModule mod_digest.c', 'LoadModule mod_tls.c',
      'DefaultAddress 127.0.0.1', `Port ${this.port}`, 'UseIPv6 off', 'AuthOrder mod_auth_file.c', `AuthUserFile ${users}`, 'RequireValidShell off',
      'UseFtpUsers off', 'WtmpLog off', 'DefaultRoot ~', 'AllowOverwrite on', 'AllowStoreRestart on', 'AllowRetrieveRestart on',
      `ScoreboardFile ${join(this.#home, 'scoreboard')}`, `PidFile ${join(this.#home, 'pid')}`, 'SystemLog none', 'TransferLog none', 'UseReverseDNS off', 'Umask 077',
      ...(tls === 'none' ? [] : [
        'TLSEngine on', `TLSRSACertificateFile ${this.certificate}`, `TLSRSACertificateKeyFile ${join(this.#home, 'key.pem')}`, 'TLSRequired on',
        ...(tls === 'implicit' ? ['TLSOptions UseImplicitSSL'] : []),
      ]),
    ]
  }

  async #listening(): Promise<void> {
    for (const end = Date.now() + startMs; Date.now() < end; await wait(pollMs)) {
      const answers = await new Promise<boolean>((resolve) => {
        const socket = connect({ port: this.port, host: '127.0.0.1' })
        socket.once('connect', () => {
          socket.destroy()
          resolve(true)
        }).once('error', () => { resolve(false) })
      })
      if (answers) return
    }
    throw new Error(`${this.#options.program} did not start.`)
  }
}

function uid(): number {
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((each) => each.startsWith(`${user}:`))
  if (!line) throw new Error(`There is no user ${user}: npm run setup`)
  return Number(line.split(':')[2])
}

function makeCertificate(folder: string): void {
  const made = spawnSync('openssl', [
    'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem'),
  ], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(made.stderr)
}
