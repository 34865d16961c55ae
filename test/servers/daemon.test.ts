import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { expect, test } from 'vitest'
import { endDaemon, startDaemon } from './daemon.ts'

/** The spaces that processes run in, by process. */
function spaces(): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      found.set(Number(name), readlinkSync(`/proc/${name}/ns/pid`))
    } catch {
      // It has ended meanwhile.
    }
  }
  return found
}

function parentOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1])
  } catch {
    return 0
  }
}

/** Spaces of the daemons that a process has started. */
function spacesBelow(top: number): ReadonlySet<string> {
  const isBelow = (pid: number): boolean => pid === top || (pid > 1 && isBelow(parentOf(pid)))
  const all = spaces()
  return new Set([...all].filter(([pid, space]) => space !== all.get(process.pid) && isBelow(pid)).map(([, space]) => space))
}

function leftIn(gone: ReadonlySet<string>): readonly number[] {
  return [...spaces()].filter(([, space]) => gone.has(space)).map(([pid]) => pid)
}

/** Each starts one server in a process of its own. */
const servers = {
  'nginx': `(await import('./webdav.ts')).startWebDav('nginx')`,
  'Apache': `(await import('./webdav.ts')).startWebDav('apache')`,
  'rclone': `(await import('./webdav.ts')).startWebDav('rclone')`,
  'sshd': `(await import('./sshd.ts')).Sshd.start()`,
  'vsftpd': `(await import('./ftpd.ts')).Ftpd.start({ program: 'vsftpd', tls: 'none' })`,
  'proftpd': `(await import('./ftpd.ts')).Ftpd.start({ program: 'proftpd', tls: 'none' })`,
  'Azurite': `(await import('./azure.ts')).AzureServer.start()`,
}

test.each(Object.entries(servers))('nothing is left of %s when the process that started it is killed', async (_, start) => {
  const program = `await ${start.replace('./', `${import.meta.dirname}/`)}; console.log('started'); setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const its = spacesBelow(Number(child.pid))
  expect(leftIn(its).length).toBeGreaterThan(0)
  child.kill('SIGKILL')
  await expect.poll(() => leftIn(its), { timeout: 5_000 }).toEqual([])
}, 60_000)

test('a child that went into a session of its own ends with its daemon', async () => {
  const daemon = startDaemon('sh', ['-c', 'setsid sleep 1000 & echo started; wait'], { stdio: ['ignore', 'pipe', 'ignore'] })
  if (!daemon.stdout) throw new TypeError('It was started with a pipe.')
  await once(daemon.stdout, 'data')
  const its = spacesBelow(Number(daemon.pid))
  expect(leftIn(its).length).toBe(2)
  await endDaemon(daemon)
  expect(leftIn(its)).toEqual([])
  await endDaemon(daemon)
})
