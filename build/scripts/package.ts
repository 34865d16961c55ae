import { build, type Configuration } from 'electron-builder'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './root.ts'
import { findRuntime } from '../runtime/runtime.ts'

/** The first Electron whose fuses include the file protocol's; an older one refuses to be flipped there. */
const fileProtocolFuseSince = 29

/**
 * Builds dist/ and packs it with the runtime into release/: `npm run package`. With `--debuggable` the fuses stay as they
 * are, so that Playwright can drive the result; a release never has that.
 */
async function packageApp(debuggable: boolean): Promise<void> {
  const runtime = await findRuntime()
  console.log(`Electron ${runtime.version} from ${runtime.origin}.`)
  await import('./build.ts')
  const major = Number.parseInt(runtime.version, 10)
  const fuses: Configuration['electronFuses'] = {
    runAsNode: false,
    enableCookieEncryption: false,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    ...(major >= fileProtocolFuseSince ? { grantFileProtocolExtraPrivileges: false } : {}),
  }
  await build({
    projectDir: root,
    config: {
      extends: join(root, 'build/package/electron-builder.yml'),
      electronVersion: runtime.version,
      electronDist: runtime.dist,
      ...(debuggable ? {} : { electronFuses: fuses }),
      // Of use only while developing.
      afterPack: ({ appOutDir }) => rm(join(appOutDir, 'resources/default_app.asar'), { force: true }),
    },
  })
}

try {
  await packageApp(process.argv.includes('--debuggable'))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
