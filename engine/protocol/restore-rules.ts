/** What a restore does with files that exist. */
export const overwriteRules = ['never', 'changed', 'older', 'beside', 'always'] as const

/**
 * `never`: what is there stays. `changed`: replaced where size or time differ. `older`: as `changed`, but what is newer than the backed-up file stays.
 * `beside`: what is there stays, and what differs from it is restored under a name of its own. `always`: compared byte by byte, and replaced where it differs.
 */
export type OverwriteRule = (typeof overwriteRules)[number]

/** Whether what is backed up goes before what is there: a file makes room for a folder, and a folder that is there gets the time and the rights it had. */
export function backupDecides(rule: OverwriteRule): boolean {
  return rule === 'changed' || rule === 'always'
}
