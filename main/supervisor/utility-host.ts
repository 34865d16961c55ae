import { utilityProcess } from 'electron'
import { engineEnvironment, linesTo } from './host.ts'
import type { StartHost } from './host.ts'

export interface UtilityHostOptions {
  /** Path of the engine's entry file. */
  readonly engine: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Runs engines as utility processes of Electron, on Electron's own Node. Only after the app is ready. */
export function utilityHost(options: UtilityHostOptions): StartHost {
  return (listener) => {
    const child = utilityProcess.fork(options.engine, [], {
      env: engineEnvironment(options.environment),
      stdio: 'pipe',
      serviceName: 'Holdfast engine',
    })
    let running = true
    child.on('message', (message: unknown) => { listener.message(message) })
    child.stdout?.on('data', linesTo((line) => { listener.output(line) }))
    child.stderr?.on('data', linesTo((line) => { listener.output(line) }))
    // Messages come by another pipe than the exit: the last word may still be on its way.
    child.on('exit', (code) => {
      running = false
      setTimeout(() => { listener.exit(`code ${code}`) }, lastWordMs)
    })
    return {
      get pid() { return child.pid },
      send(command) { if (running) child.postMessage(command) },
      kill() {
        if (!running) return
        if (child.pid === undefined) child.kill()
        else process.kill(child.pid, 'SIGKILL')
      },
    }
  }
}

const lastWordMs = 100
