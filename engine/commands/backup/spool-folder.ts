import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, unlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import type { StagingFolder, StorageBackend } from '../../backend/backend.ts'
import { makePrivateFolder } from '../../base/private-folder.ts'
import { tryWithRights } from '../../backend/rights.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import { spoolFolder } from '../../catalog/paths.ts'

/** A pack as a backup names it while it is made (pipeline/sealer.ts). */
const packName = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.pack$/

/** Temporary files that nobody wrote to for so long are of a run that died. */
const staleMs = 24 * 3_600_000

interface SpoolOwner {
  readonly home: string
  readonly repositoryId: string
  readonly jobKey: string
}

/**
 * Where the packs of a job on this machine are made, cleared of what runs left that died. In the repository's own staging folder a
 * finished pack only has to be moved; several machines may share it, so each has a folder there. The repository must have been opened
 * with its password: only then is anything removed in its folder. Errors: those of `openStaging`.
 */
export async function openSpool(backend: StorageBackend, catalog: Catalog, owner: SpoolOwner, signal: AbortSignal): Promise<string> {
  const { home, repositoryId, jobKey } = owner
  const machine = createHash('sha256').update(hostname()).update('\0').update(home).digest('hex').slice(0, 16)
  const staging = await backend.openStaging?.(`${jobKey}-${machine}`, signal)
  if (staging) await tryWithRights(async () => { await backend.abortStaleUploads?.(staleMs, signal) })
  const spool = staging ?? openHomeSpool(spoolFolder(home, repositoryId, jobKey))
  await clearSpool(spool, catalog)
  return spool.path
}

/** Packs that were being made when a run died: nothing tells what they hold. Those in the catalog stay. */
async function clearSpool(spool: StagingFolder, catalog: Catalog): Promise<void> {
  const known = new Set(catalog.spool.entries().map((entry) => basename(entry.path)))
  for (const name of spool.names) if (!known.has(name)) await spool.remove(name)
}

function openHomeSpool(path: string): StagingFolder {
  makePrivateFolder(path)
  const names = readdirSync(path).filter((name) => packName.test(name) && lstatSync(join(path, name)).isFile())
  return { path, names, remove: async (name) => { unlinkSync(join(path, name)) } }
}
