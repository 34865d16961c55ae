/** What the window shares of the engine's pure functions. */
export { visibleText } from '../../engine/protocol/visible-text.ts'
