import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where `npm run setup` unpacks Debian packages that it does not install: outside of node_modules, which `npm ci` makes anew. */
export function unpackedFolder(name: string): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast', name)
}
