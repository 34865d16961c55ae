/**
 * What nobody has caught is written down before the app ends by it. Without this, Electron shows a modal dialog and the process hangs. A broken pipe is no
 * reason to end: nobody reads what we print.
 */
export function endOnUncaught(log: (level: 'error', message: string) => void, exit: (code: number) => void): void {
  process.on('uncaughtException', (error: Error) => {
    if ('code' in error && error.code === 'EPIPE') return
    log('error', `uncaught: ${error.stack ?? error.message}`)
    exit(70)
  })
  process.on('unhandledRejection', (reason) => { log('error', `unhandled: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`) })
}
