import * as m from '../text/compiled/messages.js'
import { visibleText } from './text.ts'
import type { Wait } from './views.ts'

/** What has to be there before a job runs by itself (one of its conditions, its disk), as the end of a sentence; undefined where it waits for something else. */
export function awaitedCondition(wait: Wait['wait']): string | undefined {
  switch (wait.type) {
    case 'power':
      return m.awaited_condition_power()
    case 'battery':
      return m.awaited_condition_battery({ above: wait.above })
    case 'metered':
      return m.awaited_condition_metered()
    case 'network':
      return wait.rule === 'only' ? m.awaited_condition_network({ names: wait.names.map(visibleText).join(m.awaited_or()) }) : m.awaited_condition_network2()
    case 'idle':
      return m.awaited_condition_idle()
    case 'disk':
      return m.awaited_condition_disk({ disks: diskNames(wait.names) })
    default:
      return undefined
  }
}

/** Disks of which one is enough. */
export function diskNames(names: readonly string[]): string {
  return names.map(visibleText).join(m.awaited_or())
}
