import { join } from 'node:path'
import type { StartHost } from './host.ts'
import { nodeHost } from './node-host.ts'
import { utilityHost } from './utility-host.ts'

/** The engine's native module needs this Node-API; an older runtime would abort when it is loaded. */
const neededNodeApi = 10

/** Engines run on Electron's own Node where it is new enough, else on the Node that HOLDFAST_NODE names or that is installed beside. */
export function chooseHost(engine: string, appPath: string, environment: Readonly<Record<string, string | undefined>>): StartHost {
  if (Number(process.versions['napi']) >= neededNodeApi) return utilityHost({ engine, environment })
  const node = environment['HOLDFAST_NODE'] ?? join(appPath, 'node_modules/node/bin/node')
  return nodeHost({ node, engine, environment })
}
