import type { StopControl } from '../base/stop.ts'
import { exitCodes } from './exit-codes.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * The first interrupt lets uploads in flight finish, the second breaks them off, the third ends the process at once (which is
 * safe as well). `note` tells a person what happens.
 */
export function stopOnSignals(stop: StopControl, note: (text: string) => void): Disposable {
  let count = 0
  const onSignal = (): void => {
    count += 1
    if (count === 1) {
      note('stopping: what is on its way is finished first (interrupt again to break it off)')
      stop.request('drain')
    } else if (count === 2) {
      note('stopping at once')
      stop.request('cancel')
    } else {
      process.exit(exitCodes.error)
    }
  }
  for (const signal of signals) process.on(signal, onSignal)
  return { [Symbol.dispose]: () => { for (const signal of signals) process.off(signal, onSignal) } }
}
