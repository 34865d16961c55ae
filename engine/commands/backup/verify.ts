import { fromText } from '../../base/byte-string.ts'
import { hasCode } from '../../base/errors.ts'
import type { Tally } from '../../pipeline/tally.ts'
import { packObject } from '../../repository/names.ts'
import { readPackContents, readSegments } from '../../repository/pack-reader.ts'
import type { CommandContext } from '../context.ts'
import type { OpenBackup } from './open-backup.ts'

/**
 * Sample verification (A10): reads back the packs that were not verified for the longest time, each blob against its id, so that in the course of
 * the runs every pack has its turn. A damaged pack is a warning of the run, which itself is complete.
 */
export async function verifySample(backup: OpenBackup, context: CommandContext, tally: Tally, count: number): Promise<void> {
  const { repository, catalog } = backup
  for (const pack of catalog.packs.leastRecentlyVerified(count)) {
    try {
      const contents = await readPackContents(repository.backend, repository.keys, pack, context.signal)
      for await (const segment of readSegments(repository, { name: pack.name, kind: contents.kind }, contents.segments, context.signal)) void segment
      catalog.packs.setVerified(pack.name, context.clock.now())
    } catch (error) {
      if (!hasCode(error, 'damaged', 'not-found')) throw error
      tally.problem('damaged', fromText(packObject(pack.name)), `A pack that was read back is damaged: ${error.message} Run a check.`)
    }
  }
}
