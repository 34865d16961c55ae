import type { ByteString } from '../base/byte-string.ts'
import type { ExcludeRules } from '../protocol/job.ts'
import type { Disk } from './disk.ts'
import { Excludes } from './excludes.ts'
import { isSystemPath } from './system-folders.ts'

/** What to count: the sources of a backup, and what leaves entries of them out. */
export interface SurveyRequest {
  /** Absolute paths. */
  readonly sources: readonly ByteString[]
  readonly rules: ExcludeRules
  /** As for Excludes. */
  readonly never: readonly ByteString[]
}

/** Regular files that a backup would take, and their bytes. */
export interface SurveyTotals {
  readonly files: number
  readonly bytes: number
  /** Of these, without holes, in files that do not get smaller, to judge by their names; and in all others. */
  readonly denseBytes: number
  readonly otherBytes: number
  /** Everything has been counted. */
  readonly complete: boolean
}

/** Entries between two results. */
const step = 500

/** Pictures, sound, films, archives. */
const dense = /\.(?:jpe?g|png|gif|webp|heic|heif|avif|cr[23]|nef|arw|dng|raf|orf|rw2|mp3|m4a|aac|ogg|opus|flac|wma|mp4|m4v|mov|avi|mkv|webm|wmv|mts|m2ts|mpe?g|zip|gz|tgz|bz2|xz|zst|7z|rar|lz4|docx|xlsx|pptx|odt|ods|odp|epub|jar|apk|deb|rpm|gpg|age)$/i

/** A folder whose content is still to be counted. */
interface Folder {
  readonly path: ByteString
  readonly relative: ByteString
  readonly device: bigint
}

/**
 * Counts what a backup of the same sources finds, without reading any file; what cannot be read counts as nothing. Gives what it has every
 * few hundred entries, at last everything. Memory: the names of one folder, and the paths of folders that wait beside those on the way.
 */
export function* survey({ sources, rules, never }: SurveyRequest, disk: Disk): Generator<SurveyTotals> {
  const excludes = new Excludes(rules, never)
  const waiting: Folder[] = []
  let files = 0
  let bytes = 0
  let denseBytes = 0
  let otherBytes = 0
  let seen = 0
  const look = (path: ByteString, relative: ByteString, device: bigint | undefined): void => {
    const stat = disk.stat(path)
    if (!stat.ok) return
    const isFolder = stat.value.isDirectory()
    if (excludes.entry(path, relative, isFolder, Number(stat.value.size))) return
    if (isFolder) {
      const crosses = device !== undefined && stat.value.dev !== device
      const foreign = crosses && (excludes.oneFileSystem || isSystemPath(path))
      if (!foreign) waiting.push({ path, relative, device: stat.value.dev })
    } else if (stat.value.isFile()) {
      files++
      bytes += Number(stat.value.size)
      const held = Math.min(Number(stat.value.size), Number(stat.value.blocks) * 512)
      if (dense.test(path)) denseBytes += held
      else otherBytes += held
    }
  }
  for (const source of sources) look(source, '', undefined)
  for (let folder = waiting.pop(); folder; folder = waiting.pop()) {
    const { path, relative, device } = folder
    const names = disk.names(path)
    if (!names.ok || excludes.marked(path, (marker) => names.value.includes(marker))) continue
    const prefix = path.endsWith('/') ? path : `${path}/`
    for (const name of names.value) {
      look(prefix + name, relative === '' ? name : `${relative}/${name}`, device)
      if (++seen % step === 0) yield { files, bytes, denseBytes, otherBytes, complete: false }
    }
  }
  yield { files, bytes, denseBytes, otherBytes, complete: true }
}
