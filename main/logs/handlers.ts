import type { Handlers } from '../api/dispatch.ts'
import { LogReader, type ReadableLogs } from './reader.ts'

export interface LogHandlerPorts {
  readonly logs: ReadableLogs
  /** Puts text on the clipboard. */
  readonly copy: (text: string) => void
}

export function logHandlers({ logs, copy }: LogHandlerPorts): Pick<Handlers, 'logs.page' | 'logs.copy'> {
  const reader = new LogReader(logs)
  return {
    'logs.page': (request) => reader.page(request),
    async 'logs.copy'({ lines: positions }) {
      const lines = await reader.lines(positions)
      if (lines.length > 0) copy(lines.join('\n'))
      return { lines: lines.length }
    },
  }
}
