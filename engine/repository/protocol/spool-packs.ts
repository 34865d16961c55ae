import { join } from 'node:path'
import { HoldfastError } from '../../base/errors.ts'
import { makePrivateFolder } from '../../base/private-folder.ts'
import type { Random } from '../crypto.ts'
import type { RepositoryKeys } from '../keys.ts'
import { randomName } from '../names.ts'
import { packsAtOnce, PackWriter } from '../pack-writer.ts'
import type { PackMaker } from './prune-context.ts'

/** Copies were compressed before at this level or thereabouts. */
const level = 3

/** Writes a prune's packs into files of a local folder, from which they are uploaded. */
export function spoolPacks(folder: string, keys: RepositoryKeys, random: Random): PackMaker {
  return {
    atOnce: packsAtOnce,
    begin(kind) {
      makePrivateFolder(folder)
      const writer = new PackWriter(join(folder, `prune-${randomName(random)}`), keys.packs, kind, { level })
      return {
        append: (blobs) => { writer.append(blobs) },
        absorb: ({ body, size, contents }) => {
          if (body.type !== 'file') throw new HoldfastError('internal', 'A pack of a prune is no file.')
          writer.absorb({ path: body.path, size, crc32: body.crc32, contents })
        },
        get bytesWritten() { return writer.bytesWritten },
        finish: () => {
          const { path, size, crc32, contents } = writer.finish()
          return { body: { type: 'file', path, size, crc32 }, size, contents, discard: () => { writer.discard() } }
        },
        discard: () => { writer.discard() },
      }
    },
  }
}
