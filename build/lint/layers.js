// @ts-check
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The one table of who may import whom (ARCHITECTURE.md). dependency-cruiser and ESLint are both made from it: the first
 * sees whole graphs, the second also sees type-only imports inside .svelte files.
 */

/** @typedef {{ readonly may: readonly string[], readonly types?: readonly string[] }} Layer */

/** What every storage shares knows none of them; each other folder of the backend is one provider, and knows no other. */
const sharedByStorages = ['engine/backend/http', 'engine/backend/flow', 'engine/backend/wrappers', 'engine/backend/google', 'engine/backend/dav']
/** Providers of one company that speak to it in the same way. */
const ofGoogle = ['engine/backend/gdrive', 'engine/backend/gcs']
/** Providers that are reached through WebDAV. */
const ofDav = ['engine/backend/webdav', 'engine/backend/rclone']
const backendFolder = fileURLToPath(new URL('../../engine/backend', import.meta.url))
const storages = readdirSync(backendFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => `engine/backend/${entry.name}`)
  .filter((folder) => !sharedByStorages.includes(folder))
  .sort()
const belowBackend = ['engine/base', 'engine/protocol']

const belowStorages = ['engine/backend', 'engine/backend/http', 'engine/backend/flow', ...belowBackend]
const belowRepository = ['engine/snapshot', 'engine/backend', 'engine/backend/flow', 'engine/backend/wrappers', ...belowBackend]
const belowCommands = ['engine/repository', ...belowRepository]

/**
 * Folder → folders it may import, and folders of which it may import types only. A folder may always import itself.
 * The longest matching folder is a file's layer.
 * @type {Readonly<Record<string, Layer>>}
 */
export const layers = {
  'engine/protocol': { may: [] },
  'engine/base': { may: ['engine/protocol'] },
  'engine/backend': { may: ['engine/backend/wrappers', ...storages, ...belowBackend] },
  'engine/backend/flow': { may: ['engine/backend', ...belowBackend] },
  'engine/backend/wrappers': { may: ['engine/backend', 'engine/backend/flow', ...belowBackend] },
  'engine/backend/http': { may: ['engine/backend', 'engine/backend/flow', ...belowBackend] },
  'engine/backend/google': { may: belowStorages },
  'engine/backend/dav': { may: belowStorages },
  ...Object.fromEntries(storages.map((folder) => [folder, { may: [...(ofGoogle.includes(folder) ? ['engine/backend/google'] : []), ...(ofDav.includes(folder) ? ['engine/backend/dav'] : []), ...belowStorages] }])),
  'engine/accounts': { may: ['engine/backend', 'engine/backend/http', 'engine/backend/flow', ...belowBackend] },
  'engine/snapshot': { may: ['engine/base', 'engine/protocol'] },
  'engine/repository': { may: belowRepository },
  'engine/catalog': { may: belowCommands },
  'engine/progress': { may: ['engine/base', 'engine/protocol'] },
  'engine/source': { may: belowCommands },
  'engine/target': { may: belowCommands },
  'engine/pipeline': { may: belowCommands, types: ['engine/source', 'engine/catalog'] },
  'engine/commands': { may: ['engine/accounts', 'engine/pipeline', 'engine/progress', 'engine/source', 'engine/target', 'engine/catalog', ...belowCommands] },
  engine: { may: ['engine/accounts', 'engine/commands', 'engine/pipeline', 'engine/progress', 'engine/source', 'engine/target', 'engine/catalog', ...belowCommands] },
  'main/text': { may: [] },
  'main/api': { may: ['main/text', 'engine/protocol'] },
  main: { may: ['main/api', 'main/text', 'engine/accounts', 'engine/protocol'] },
  renderer: { may: ['main/api', 'main/text'] },
  build: { may: ['engine/protocol'] },
  test: {
    may: ['engine', 'main', 'renderer', 'build'],
  },
}

const byLength = Object.keys(layers).sort((a, b) => b.length - a.length)

/**
 * The layer of a file, by its path from the project's root with forward slashes; undefined outside of every layer.
 * @param {string} path
 */
export function layerOf(path) {
  return byLength.find((layer) => path.startsWith(`${layer}/`))
}

/**
 * Whether a file in layer `from` may import a file in layer `to`.
 * @param {string} from
 * @param {string} to
 * @param {boolean} typeOnly
 */
export function mayImport(from, to, typeOnly) {
  if (from === to || from === 'test') return true
  const layer = layers[from]
  if (!layer) return true
  return layer.may.includes(to) || (typeOnly && layer.types?.includes(to) === true)
}
