import { randomBytes } from 'node:crypto'
import { literal, number, pipe, regex, safeParse, strictObject, string } from 'valibot'
import type { Body, UploadJournal } from '../backend.ts'

/** Beside the objects, on storages where a file shows while it is written: files that are being written. Its name is no object's. */
export const temporaryFolder = '.tmp'

/** What `temporaryName` makes. Nothing else is ever removed from the folder. */
export const temporaryPattern = /^up-[0-9a-f]{32}$/

/** A name that no other attempt has, on any machine. */
export function temporaryName(): string {
  return `up-${randomBytes(16).toString('hex')}`
}

type FileBody = Extract<Body, { type: 'file' }>

const entry = strictObject({ version: literal(1), temporary: pipe(string(), regex(temporaryPattern)), size: number(), crc32: number() })

/** Remembers the temporary name under which a put of this file has begun. */
export function rememberBegun(journal: UploadJournal, object: string, temporary: string, { size, crc32 }: FileBody): void {
  journal.set(object, JSON.stringify({ version: 1, temporary, size, crc32 }))
}

/** The temporary name of a put of the object that had begun, and whether it was of this file; undefined where none had, or the entry makes no sense. */
export function begunUpload(journal: UploadJournal, object: string, body: FileBody): { readonly temporary: string; readonly isSameFile: boolean } | undefined {
  const { success, output } = safeParse(entry, parseJson(journal.get(object) ?? ''))
  return success ? { temporary: output.temporary, isSameFile: output.size === body.size && output.crc32 === body.crc32 } : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
