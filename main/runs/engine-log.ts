import type { EngineListener } from '../supervisor/engine.ts'
import type { LogLine, LogWriter } from '../system/logs.ts'
import type { Timers } from '../system/timers.ts'

/** A listener for engines of which nothing but their log is of interest. */
export function engineLog(log: LogWriter, timers: Timers, context: LogLine['context']): EngineListener {
  return {
    event(event) {
      if (event.type !== 'log') return
      const { level, time, message } = event
      log.write({ time, level, message, context: { ...event.context, ...context } })
    },
    output(line) {
      log.write({ time: timers.now(), level: 'warning', message: line, context })
    },
    restarting: () => undefined,
    restarted: () => undefined,
  }
}
