import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCatalog } from '../../../engine/catalog/catalog.ts'
import type { Catalog } from '../../../engine/catalog/catalog.ts'
import { sealOverhead } from '../../../engine/repository/crypto.ts'
import { headerBytes } from '../../../engine/repository/sealed.ts'
import type { PackInfo } from '../../../engine/repository/pack-info.ts'

/** A blob's length, plain and stored. */
export const rawLength = 84
export const storedLength = rawLength + sealOverhead

export const repositoryId = 'ab'.repeat(16)

/** A blob id that a name stands for. */
export function blob(name: string | number): Uint8Array {
  return createHash('sha256').update(String(name)).digest()
}

export function ids(...names: readonly (string | number)[]): Uint8Array {
  return Buffer.concat(names.map(blob))
}

/** A pack named by a letter, with a segment for each blob. */
export function pack(name: string, ...blobs: readonly (string | number)[]): PackInfo {
  const segments = blobs.map((each, at) => ({
    offset: headerBytes + at * storedLength, storedLength, rawLength, compression: 'none' as const, blobs: [{ id: blob(each), length: rawLength }],
  }))
  return { name: packName(name), size: headerBytes + blobs.length * storedLength + 40, contents: { kind: 'data', segments } }
}

export function packName(name: string): string {
  return createHash('md5').update(name).digest('hex')
}

/** A catalog in a folder of its own that goes away with it. */
export class TestCatalog implements Disposable {
  readonly home = mkdtempSync(join(tmpdir(), 'holdfast-catalog-'))
  catalog: Catalog

  constructor() {
    this.catalog = openCatalog(this.home, repositoryId, 'job').catalog
  }

  /** As a new process would find it. */
  reopen(): Catalog {
    this.catalog[Symbol.dispose]()
    this.catalog = openCatalog(this.home, repositoryId, 'job').catalog
    return this.catalog
  }

  /** A session that lists these packs. */
  list(...packs: readonly PackInfo[]): void {
    this.catalog.packs.beginUsable()
    for (const each of packs) this.catalog.packs.markUsable(each.name, each.size)
    this.catalog.packs.endUsable()
  }

  [Symbol.dispose](): void {
    this.catalog[Symbol.dispose]()
    rmSync(this.home, { recursive: true })
  }
}
