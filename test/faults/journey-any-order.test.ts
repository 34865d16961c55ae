import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { destinationJourney } from '../suites/journey.ts'

destinationJourney('a storage that lists in no order', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-journey-'))
  const address = `faulty+${join(folder, randomUUID())}?fault.order=any`
  return { address, credentials: {}, async [Symbol.asyncDispose]() { rmSync(folder, { recursive: true }) } }
})
