import { realpath, stat } from 'node:fs/promises'
import { basename, sep } from 'node:path'
import { MainError } from '../api/errors.ts'

/** Folders that a desktop opens as a program, a document or a place of its own. `name.{…}` is a class of the Windows shell. */
const bundle = /\.(app|appex|bundle|command|component|desktop|framework|kext|lnk|mpkg|pkg|plugin|prefpane|qlgenerator|saver|scptd|service|url|workflow|xpc)$|\.\{[^}]*\}$/i

/**
 * The path to give to the desktop so that it shows a folder, and can do nothing else with it: links are followed here, and the
 * separator at its end keeps Windows from taking `name.exe` for `name`. Errors: `not-found`, `denied` for what is no plain folder.
 */
export async function folderToOpen(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined)
  const found = real === undefined ? undefined : await stat(real).catch(() => undefined)
  if (real === undefined || !found) throw new MainError('not-found', 'There is no such folder any more.')
  if (!found.isDirectory() || bundle.test(basename(real)) || bundle.test(basename(path))) throw new MainError('denied', 'This is no folder that can be shown.', { reason: 'no-folder' })
  return real.endsWith(sep) ? real : real + sep
}
