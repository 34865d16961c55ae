import { setPriority } from 'node:os'

/** Gives processes their priority; one that it cannot be given to goes on with its own. */
export function renicer(log: (level: 'warning', message: string) => void): (pid: number, nice: number) => void {
  return (pid, nice) => {
    try {
      setPriority(pid, nice)
    } catch (error) {
      log('warning', `the priority of engine ${pid} stays as it is: ${String(error)}`)
    }
  }
}
