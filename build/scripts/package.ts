import { build, type Configuration } from 'electron-builder'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { object, parse, string } from 'valibot'
import { root } from './root.ts'
import { findRuntime, pinnedElectron, type Runtime } from '../runtime/runtime.ts'

/** Electron keeps up its newest three major versions. */
const majorsKeptUp = 3

/** The first Electron whose fuses include the file protocol's; an older one refuses to be flipped there. */
const fileProtocolFuseSince = 29

/** As a package made for tests calls itself, so that nobody takes it for a release (main/system/runtime.ts reads the version). */
async function testNames(): Promise<Configuration> {
  const { version } = parse(object({ version: string() }), JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))
  const productName = 'Holdfast for tests'
  return { productName, extraMetadata: { productName, version: `${version}-for-tests` } }
}

/** @throws Error with the way out, for a runtime that gets no security fixes. */
function expectKeptUp(runtime: Runtime): void {
  const oldest = Number.parseInt(pinnedElectron(), 10) - majorsKeptUp + 1
  if (Number.parseInt(runtime.version, 10) >= oldest) return
  throw new Error(
    `Electron ${runtime.version} (from ${runtime.origin}) gets no security fixes any more, so no package is made with it.\n` +
      `Package where Electron ${pinnedElectron()} can be downloaded, or name an unpacked Electron ${oldest} or newer in ELECTRON_OVERRIDE_DIST_PATH.\n` +
      'A package for tests alone, called so in its name, its version and its window: npm run package -- --for-tests'
  )
}

interface PackageOptions {
  /** The fuses stay as they are, so that Playwright can drive the result; a release never has that. */
  readonly debuggable: boolean
  /** Any runtime will do, and the package says what it is. */
  readonly forTests: boolean
  /** Where it goes; `release/` by default. */
  readonly output: string | undefined
}

/** Builds dist/ and packs it with the runtime into release/: `npm run package`. */
async function packageApp({ debuggable, forTests, output }: PackageOptions): Promise<void> {
  const runtime = await findRuntime()
  console.log(`Electron ${runtime.version} from ${runtime.origin}.`)
  if (!forTests) expectKeptUp(runtime)
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
      ...(forTests ? await testNames() : {}),
      ...(output === undefined ? {} : { directories: { output } }),
      // Of use only while developing.
      afterPack: ({ appOutDir }) => rm(join(appOutDir, 'resources/default_app.asar'), { force: true }),
    },
  })
}

try {
  const { values } = parseArgs({ options: { debuggable: { type: 'boolean' }, 'for-tests': { type: 'boolean' }, output: { type: 'string' } } })
  // What can be debugged is not for users either.
  const debuggable = values.debuggable === true
  await packageApp({ debuggable, forTests: debuggable || values['for-tests'] === true, output: values.output })
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
