import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from './sshd.ts'

const startMs = 20_000
const pollMs = 20

/** `rclone serve sftp` on loopback, of an empty folder. It ends with this process, however that ends. Wants Debian's rclone (`npm run setup`). */
export interface RcloneSftp extends AsyncDisposable {
  readonly password: string
  /** Of a repository in a folder that is there. */
  address(name: string): string
  path(name: string): string
}

export async function startRcloneSftp(...settings: readonly string[]): Promise<RcloneSftp> {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-rclone-sftp-'))
  const port = await freePort()
  const password = 'geheim'
  mkdirSync(join(home, 'files'))
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'rclone', 'serve', 'sftp', join(home, 'files'), '--addr', `127.0.0.1:${port}`, '--user', 'anna', '--pass', password, ...settings], {
    stdio: 'ignore', env: { PATH: process.env['PATH'], HOME: home },
  })
  const server: RcloneSftp = {
    password,
    address: (name) => `sftp://anna@127.0.0.1:${port}/${name}`,
    path: (name) => join(home, 'files', name),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }
      rmSync(home, { recursive: true, force: true })
    },
  }
  for (const end = Date.now() + startMs; Date.now() < end; await wait(pollMs)) {
    const answers = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.once('data', () => {
        resolve(true)
        socket.destroy()
      }).once('error', () => { resolve(false) }).once('close', () => { resolve(false) })
    })
    if (answers) return server
  }
  await server[Symbol.asyncDispose]()
  throw new Error('rclone did not start. Is it installed? (npm run setup)')
}
