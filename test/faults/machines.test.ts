import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { removeIfThere } from '../fixtures/odd-tree.ts'
import { freshBucket } from '../servers/s3.ts'
import { soakMachines } from '../soak/machines.ts'

test.each(['folder', 's3'])('machines that back up, forget, prune and die in one %s lose nothing', async (storage) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-soak-'))
  try {
    const bucket = storage === 's3' ? await freshBucket() : undefined
    const counts = await soakMachines({ seed: 1122, cycles: 4, folder, repository: bucket?.url('repository') ?? join(folder, 'repository'), env: bucket?.environment ?? {} })
    expect(counts.cycles).toBe(4)
    expect(counts.kills).toBeGreaterThan(0)
    expect(counts.snapshotsCompared).toBeGreaterThan(3)
  } finally {
    removeIfThere(folder)
  }
})
