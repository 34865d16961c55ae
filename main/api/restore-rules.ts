/** What a restore does with files that exist, for the window. */
export { fateOf, planClasses, planFates, type PlanFate } from '../../engine/protocol/restore-rules.ts'
