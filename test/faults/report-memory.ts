import { writeFileSync } from 'node:fs'

/** Loaded before a program (`--import`): when it ends, its peak memory in KiB is in the file that HOLDFAST_TEST_PEAK names. */
const path = process.env['HOLDFAST_TEST_PEAK']
process.on('exit', () => {
  if (path !== undefined) writeFileSync(path, String(process.resourceUsage().maxRSS))
})
