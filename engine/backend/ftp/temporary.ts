import { randomBytes } from 'node:crypto'

/** Beside the objects: files that are being written. Its name is no object's. */
export const temporaryFolder = '.tmp'

/** What `temporaryName` makes. Nothing else is ever removed from the folder. */
export const temporaryPattern = /^up-[0-9a-f]{32}$/

/** A name that no other attempt has, on any machine. */
export function temporaryName(): string {
  return `up-${randomBytes(16).toString('hex')}`
}
