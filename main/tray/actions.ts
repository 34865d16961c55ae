import type { PauseLength, Route } from '../api/contract.ts'
import { assertNever } from '../system/never.ts'
import type { TrayAction } from './state.ts'

export interface TrayPorts {
  readonly backups: {
    of(jobId: string): unknown
    /** Whether somebody has to sign in before it can run. */
    waitsForSignIn(jobId: string): boolean
    run(jobId: string, trigger: 'manual'): unknown
    pauseAll(length: PauseLength): void
    resumeAll(): void
  }
  readonly window: { show(): void }
  readonly navigation: { go(route: Route): void }
  readonly quit: () => void
}

/** What a click in the tray does. A click on what has changed meanwhile (a job that runs by now) does nothing. */
export function trayActions({ backups, window, navigation, quit }: TrayPorts): (action: TrayAction) => void {
  return (action) => {
    switch (action.type) {
      case 'run':
        if (backups.waitsForSignIn(action.jobId)) navigation.go({ page: 'job', jobId: action.jobId })
        else if (backups.of(action.jobId) === undefined) backups.run(action.jobId, 'manual')
        return
      case 'open-job':
        navigation.go({ page: 'job', jobId: action.jobId })
        return
      case 'pause-all':
        backups.pauseAll(action.length)
        return
      case 'resume-all':
        backups.resumeAll()
        return
      case 'open':
        window.show()
        return
      case 'quit':
        quit()
        return
      default:
        assertNever(action)
    }
  }
}
