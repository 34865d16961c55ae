import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fixedCredentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import { keepNativeMemorySmall } from '../../engine/base/memory.ts'
import { openCatalog } from '../../engine/catalog/catalog.ts'
import { refreshIndex } from '../../engine/catalog/refresh.ts'
import { sealOverhead, systemRandom } from '../../engine/repository/crypto.ts'
import type { PackInfo, PackSegment } from '../../engine/repository/pack-info.ts'
import { putIndexes } from '../../engine/repository/protocol/index-objects.ts'
import { initRepository, openRepository } from '../../engine/repository/repository.ts'
import { headerBytes } from '../../engine/repository/sealed.ts'
import { toHex } from '../../engine/base/bytes.ts'
import { cheap } from '../fixtures/cheap-repository.ts'

/**
 * How long a catalog takes to come back from index objects alone: simulates a repository of `--gigabytes` by its index (chunks of 1 MiB
 * on average, and as many small files in shared segments), loads it into an empty catalog, and prints seconds and peak memory.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { gigabytes: { type: 'string', default: '1000' }, load: { type: 'string' } } })
  if (values.load !== undefined) {
    await load(values.load, Number(values.gigabytes))
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-rebuild-'))
  try {
    await simulate(folder, Number(values.gigabytes))
    // A process of its own, so that its peak memory is that of a rebuild.
    execFileSync(process.execPath, [import.meta.filename, '--load', folder, '--gigabytes', values.gigabytes], { stdio: 'inherit' })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const password = 'bench'

async function simulate(folder: string, gigabytes: number): Promise<void> {
  const signal = new AbortController().signal
  await using backend = await openBackend(join(folder, 'repository'), { credentials: fixedCredentials({}), signal, create: true })
  const repository = await initRepository(backend, password, { arbiter: 'cas', ...cheap }, signal)
  await putIndexes(repository, packs(gigabytes), systemRandom, signal)
}

async function load(folder: string, gigabytes: number): Promise<void> {
  await keepNativeMemorySmall()
  const signal = new AbortController().signal
  await using backend = await openBackend(join(folder, 'repository'), { credentials: fixedCredentials({}), signal })
  const repository = await openRepository(backend, password, signal)
  using catalog = openCatalog(join(folder, 'home'), repository.config.repositoryId, 'reader').catalog
  const started = performance.now()
  const { read } = await refreshIndex(repository, catalog, signal)
  const seconds = (performance.now() - started) / 1000
  console.log(`${gigabytes} GB, ${read} index objects, ${gigabytes * 2000} blobs: ${seconds.toFixed(2)} s, ${(seconds / gigabytes * 100).toFixed(2)} s for each 100 GB, peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`)
}

/** Packs of 16 MB: 16 chunks of their own, and 16 small blobs that share a segment. */
function* packs(gigabytes: number): Generator<PackInfo> {
  const chunk = 1_000_000
  const small = 4000
  for (let at = 0; at < (gigabytes * 1000) / 16; at++) {
    const segments: PackSegment[] = []
    let offset = headerBytes
    const add = (rawLength: number, count: number): void => {
      const blobs = Array.from({ length: count }, () => ({ id: systemRandom(32), length: rawLength / count }))
      segments.push({ offset, storedLength: rawLength + sealOverhead, rawLength, compression: 'none', blobs })
      offset += rawLength + sealOverhead
    }
    for (let each = 0; each < 16; each++) add(chunk, 1)
    add(16 * small, 16)
    yield { name: toHex(systemRandom(16)), size: offset + 2000, contents: { kind: 'data', segments } }
  }
}

await main()
