import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Everything that a restore must bring back, by path (latin1, exact bytes): type, mode, owner, time in ns, content, links. */
export function treeState(root: string): Map<string, string> {
  const state = new Map<string, string>()
  const inodes = new Map<bigint, string>()
  const visit = (path: Buffer, shown: string): void => {
    const stats = lstatSync(path, { bigint: true })
    const facts = [stats.mode.toString(8), stats.uid, stats.gid, stats.mtimeNs]
    if (stats.isSymbolicLink()) facts.push(readlinkSync(path, 'buffer').toString('latin1'))
    if (stats.isFile()) {
      const first = inodes.get(stats.ino)
      if (stats.nlink > 1n && first === undefined) inodes.set(stats.ino, shown)
      facts.push(stats.size, createHash('sha256').update(readFileSync(path)).digest('hex'), first === undefined ? '' : `= ${first}`)
    }
    // The root's own time is the restore's.
    if (shown !== '') state.set(shown, facts.map(String).join(' '))
    if (!stats.isDirectory()) return
    for (const name of readdirSync(path, { encoding: 'buffer' }).sort(Buffer.compare.bind(Buffer))) {
      visit(Buffer.concat([path, Buffer.from('/'), name]), join(shown, name.toString('latin1')))
    }
  }
  visit(Buffer.from(root), '')
  return state
}
