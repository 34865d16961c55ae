import { visibleText } from './text.ts'
import type { Wait } from './views.ts'

/** Which of its conditions a job waits for, as the end of a sentence; undefined where it is none. */
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
    default:
      return undefined
  }
}
