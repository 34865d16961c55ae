import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { HoldfastError } from '../base/errors.ts'

/** Asks on the terminal; what is typed is not shown. Errors: aborted (Ctrl-C, Ctrl-D). */
export function promptHidden(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => { done() } })
  const reader = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 })
  process.stderr.write(question)
  return new Promise((resolve, reject) => {
    const give = (act: () => void): void => {
      process.stderr.write('\n')
      reader.removeAllListeners('close')
      reader.close()
      act()
    }
    reader.once('line', (line) => { give(() => { resolve(line) }) })
    reader.once('close', () => { give(() => { reject(new HoldfastError('aborted', 'No password was given.')) }) })
    reader.once('SIGINT', () => { reader.close() })
  })
}
