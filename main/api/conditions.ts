import { visibleText } from './text.ts'
import type { Wait } from './views.ts'

/** What has to be there before a job runs by itself (one of its conditions, its disk), as the end of a sentence; undefined where it waits for something else. */
export function awaitedCondition(wait: Wait['wait']): string | undefined {
  switch (wait.type) {
    case 'power':
      return 'mains power'
    case 'battery':
      return `a battery of ${wait.above} % or more`
    case 'metered':
      return 'a connection that is not metered'
    case 'network':
      return wait.rule === 'only' ? `the network ${wait.names.map(visibleText).join(' or ')}` : 'another network'
    case 'idle':
      return 'a moment when nobody uses the computer'
    case 'disk':
      return `the disk ${diskNames(wait.names)}`
    default:
      return undefined
  }
}

/** Disks of which one is enough. */
export function diskNames(names: readonly string[]): string {
  return names.map(visibleText).join(' or ')
}
