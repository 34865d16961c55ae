/** What the window shares of the engine's pure functions. */
export { isReadableOnTheWay } from '../../engine/protocol/plain-http.ts'
export { visibleText } from '../../engine/protocol/visible-text.ts'
