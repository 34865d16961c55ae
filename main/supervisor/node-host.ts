import { fork } from 'node:child_process'
import { engineEnvironment, linesTo } from './host.ts'
import type { StartHost } from './host.ts'

export interface NodeHostOptions {
  /** The Node executable, version 24 or newer. */
  readonly node: string
  /** Path of the engine's entry file. */
  readonly engine: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Runs engines in a Node of their own: for runtimes whose own Node cannot load the engine's native module. */
export function nodeHost(options: NodeHostOptions): StartHost {
  return (listener) => {
    const child = fork(options.engine, [], {
      execPath: options.node,
      execArgv: [],
      env: { ...engineEnvironment(options.environment), ...nativeMemory },
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    let exited = false
    const exit = (how: string): void => {
      if (exited) return
      exited = true
      listener.exit(how)
    }
    child.on('message', (message) => { if (!exited) listener.message(message) })
    child.stdout?.on('data', linesTo((line) => { listener.output(line) }))
    child.stderr?.on('data', linesTo((line) => { listener.output(line) }))
    child.on('error', (error) => { if (child.pid === undefined) exit(`not started: ${error.message}`) })
    // 'close' waits for the last output and the last message; a grandchild that holds the pipes must not hold us.
    child.on('exit', (code, signal) => {
      const how = signal ?? `code ${code ?? 'unknown'}`
      child.once('close', () => { exit(how) })
      setTimeout(() => { exit(how) }, closeGraceMs).unref()
    })
    return {
      pid: child.pid,
      // The callback takes the error of a channel that closes meanwhile; the exit tells the rest.
      send(command) { if (child.connected) child.send(command, () => undefined) },
      kill() { child.kill('SIGKILL') },
    }
  }
}

/** For glibc: what an engine's threads free goes back to the system at once, which saves some 30 MB of its peak. */
const nativeMemory = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_MMAP_THRESHOLD_: '1048576' }

const closeGraceMs = 1000
