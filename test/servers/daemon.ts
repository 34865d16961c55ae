import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { hasErrno } from '../../engine/base/errno.ts'

/**
 * A server program of a test. It runs as the first process of a space of its own, which the kernel takes down with it: no child of it is
 * left, whether it was ended here, or this process was killed (setpriv --pdeathsig, unshare --kill-child). A process group would not do:
 * sshd and others leave theirs. Linux only.
 */
export function startDaemon(command: string, words: readonly string[], options: { readonly stdio?: StdioOptions; readonly env?: NodeJS.ProcessEnv } = {}): ChildProcess {
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-current-user']
  // Ceph wants a /proc that knows the processes by the same numbers; what a test mounts is to be seen.
  const space = [...user, '--pid', '--fork', '--kill-child=KILL', '--mount-proc', '--propagation', 'slave']
  return spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...space, command, ...words], { stdio: 'ignore', ...options })
}

/** Resolves when neither it nor any child of it is left. Repeating is harmless. */
export async function endDaemon(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  // Its first process ends only after all the others; whoever waits for it ends after it.
  const first = firstProcess(child.pid)
  if (first === undefined) child.kill('SIGKILL')
  else kill(first)
  await ended
}

/** The only child of the process that made the space; undefined while there is none yet. */
function firstProcess(parent: number): number | undefined {
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name) && parentOf(name) === parent) return Number(name)
  }
  return undefined
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1])
  } catch {
    return undefined
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error
  }
}
