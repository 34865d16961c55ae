import { join } from 'node:path'

/** Folder of all catalogs on this machine. */
export function catalogsFolder(home: string): string {
  return join(home, 'catalogs')
}

/** Folder of a repository's catalogs and job locks on this machine. */
export function catalogFolder(home: string, repositoryId: string): string {
  return join(catalogsFolder(home), repositoryId)
}

/** Folder where a job's sealed packs wait to be sent to a remote storage. */
export function spoolFolder(home: string, repositoryId: string, jobKey: string): string {
  return join(home, 'spool', repositoryId, jobKey)
}
