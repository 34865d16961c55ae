import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { destinationJourney } from '../suites/journey.ts'

destinationJourney('rclone (its local storage)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast rcloné-'))
  return { address: `rclone::local:${folder}/repo`, credentials: {}, async [Symbol.asyncDispose]() { rmSync(folder, { recursive: true }) } }
})
