import { execFile, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cephConf, type Ports } from './ceph-conf.ts'
import { endDaemon, startDaemon } from './daemon.ts'

/**
 * `s3-keeper.ts FOLDER PID` starts a one-node Ceph with an S3 gateway on loopback, all state in FOLDER and in memory, writes
 * FOLDER/ready.json once it answers, and takes everything down when process PID is gone. If this process dies first, the
 * kernel ends the daemons.
 */
const [folder = '', watched = ''] = process.argv.slice(2)
const keys = { accessKeyId: 'TESTKEY', secretAccessKey: 'TESTSECRET' }
const env = { ...process.env, CEPH_CONF: join(folder, 'ceph.conf') }
const run = promisify(execFile)
const daemons: ChildProcess[] = []
const watchMs = 250
const pollMs = 50
const commandTimeoutMs = 60_000

async function start(): Promise<string> {
  const ports = await freePorts()
  for (const one of ['mon', 'osd0', 'run', 'log', 'rgw']) await mkdir(join(folder, one), { recursive: true })
  const fsid = crypto.randomUUID()
  await writeFile(env.CEPH_CONF, cephConf(folder, fsid, ports))
  const address = `[v2:127.0.0.1:${ports.monitor2},v1:127.0.0.1:${ports.monitor1}]`
  await command('monmaptool', '--create', '--fsid', fsid, '--addv', 'a', address, join(folder, 'monmap'))
  await command('ceph-mon', '--mkfs', '-i', 'a', '--monmap', join(folder, 'monmap'))
  daemon('ceph-mon', '-i', 'a')
  const osd = crypto.randomUUID()
  // The client waits for the monitor by itself.
  await command('ceph', 'osd', 'new', osd)
  await command('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osd)
  daemon('ceph-osd', '-i', '0')
  const user = ['--uid=test', '--display-name=test', `--access-key=${keys.accessKeyId}`, `--secret-key=${keys.secretAccessKey}`]
  // It waits until the storage daemon is up, because it writes.
  await command('radosgw-admin', 'user', 'create', ...user)
  daemon('radosgw', '-n', 'client.rgw.a')
  await answers(ports.gateway)
  return `http://127.0.0.1:${ports.gateway}`
}

async function command(program: string, ...words: readonly string[]): Promise<void> {
  await run(program, words, { env, timeout: commandTimeoutMs })
}

/** Starts a daemon in the foreground. One that ends by itself ends the server. */
function daemon(program: string, ...words: readonly string[]): void {
  const child = startDaemon(program, [...words, '-f'], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  child.on('exit', (code, signal) => void fail(new Error(`${program} ended (${signal ?? code})`)))
  daemons.push(child)
}

/** Resolves once the port accepts a connection. */
async function answers(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const connected = await once(socket, 'connect').then(() => true, () => false)
    socket.destroy()
    if (connected) return
    await wait(pollMs)
  }
}

/** Ports nobody listens on now. */
async function freePorts(): Promise<Ports> {
  const servers = await Promise.all([listen(), listen(), listen()])
  const [gateway = 0, monitor1 = 0, monitor2 = 0] = servers.map((one) => {
    const address = one.address()
    return typeof address === 'object' && address ? address.port : 0
  })
  await Promise.all(servers.map((one) => new Promise((resolve) => one.close(resolve))))
  return { gateway, monitor1, monitor2 }
}

async function listen(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

let ending = false

/** Takes the daemons down. They hold nothing worth keeping, so they are not asked. */
async function end(): Promise<void> {
  ending = true
  await Promise.all(daemons.map(endDaemon))
  await rm(folder, { recursive: true, force: true })
}

async function fail(error: unknown): Promise<void> {
  if (ending) return
  ending = true
  console.error(error)
  for (const one of daemons) one.kill('SIGKILL')
  await writeFile(join(folder, 'failed'), '')
  process.exit(1)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end().then(() => process.exit(0)))
setInterval(() => {
  if (!ending && !isRunning(Number(watched))) void end().then(() => process.exit(0))
}, watchMs)

try {
  const endpoint = await start()
  await writeFile(join(folder, 'ready.new'), JSON.stringify({ endpoint, ...keys }))
  await rename(join(folder, 'ready.new'), join(folder, 'ready.json'))
} catch (error) {
  await fail(error)
}
