/** How often a crashed backup is started again within one run. */
export const maxRestarts = 5

const firstDelayMs = 500
const longestDelayMs = 60_000

/** The wait before restart number `restart` (1…5) in ms, or undefined when the budget is used up. */
export function restartDelayMs(restart: number): number | undefined {
  if (restart > maxRestarts) return undefined
  return Math.min(longestDelayMs, firstDelayMs * 4 ** (restart - 1))
}
