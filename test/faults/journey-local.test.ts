import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { destinationJourney } from '../suites/journey.ts'

destinationJourney('a folder of this machine', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-journey-'))
  return { address: join(folder, 'a folder', 'é'), credentials: {}, async [Symbol.asyncDispose]() { rmSync(folder, { recursive: true }) } }
})
