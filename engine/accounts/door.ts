/** What main takes from the engine's base to own accounts. */
export { systemClock as engineClock } from '../base/clock.ts'
export { toWireError as wireErrorOf } from '../base/errors.ts'
