import { HoldfastError } from '../../base/errors.ts'
import type { Witness } from '../dav/client.ts'
import { rcloneError, servingError } from './errors.ts'

const keptLines = 100
const longestLine = 2_000

interface Line {
  readonly number: number
  /** What it is about: a path of the remote, without slashes around it. */
  readonly subject: string
  readonly text: string
}

/**
 * What rclone prints while it serves. Its answers say little (Go's WebDAV library tells 404 for a remote that is out of reach, 405 for one that
 * is full, and shows a folder that may not be read as an empty one), but it prints why, before it answers.
 */
export class RcloneWords {
  #rest = ''
  #count = 0
  #lines: readonly Line[] = []
  #isOver = false

  /** The last of what it printed. */
  get last(): string {
    return [...this.#lines.map(({ text }) => text), this.#rest].join('\n')
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = (lines.pop() ?? '').slice(-longestLine)
    const read = lines.map((line): Line => {
      const [, subject = '', said = line] = /^\S+ \S+ (?:ERROR|CRITICAL) *: (.*?): (.*)$/.exec(line) ?? []
      const path = / root '| system at /.test(subject) ? '' : subject
      return { number: ++this.#count, subject: path.replace(/^\/+|\/+$/g, ''), text: (said === line ? line : `${subject}: ${said}`).slice(0, longestLine) }
    })
    this.#lines = [...this.#lines, ...read].slice(-keptLines)
  }

  /** rclone has ended. */
  end(): void {
    this.#isOver = true
  }

  /** Of an exchange that begins now. */
  witness(): Witness {
    const before = this.#count
    return async (path, error) => {
      if (error && error.data['status'] === undefined && error.code !== 'offline') return undefined
      // What was printed before the answer was sent has been read when the loop has gone round.
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => { setImmediate(resolve) })
      const subject = decodeURIComponent(path).replace(/^\/+|\/+$/g, '')
      const since = this.#lines.filter(({ number }) => number > before)
      if (!error) {
        const unread = since.find((line) => line.subject === subject && /failed to (?:open|read) directory|couldn't list/i.test(line.text))
        return unread && servingError(unread.text, undefined)
      }
      if (error.code === 'offline') return this.#isOver ? new HoldfastError('offline', 'rclone ended while it served the remote.', { cause: rcloneError(this.last) }) : undefined
      const said = since.findLast((line) => line.subject === '' || line.subject === subject || subject.startsWith(`${line.subject}/`))
      return said && servingError(said.text, error)
    }
  }
}
