import { lstatSync } from 'node:fs'
import { resolve } from 'node:path'
import { absolutePath, currentFolder } from '../base/typed-path.ts'

/** What a shell's pattern may have filled in: whatever there is under exactly this name is meant, however odd it looks. */
export function typedFile(what: string, text: string): string {
  return exists(text) ? resolve(currentFolder(what), text) : absolutePath(what, text)
}

function exists(text: string): boolean {
  try {
    // `~` alone is the home folder also where somebody made a folder of that name by mistake.
    return text !== '' && text.trim() !== '' && !/^~(\/|$)/.test(text) && lstatSync(text, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}
