import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { World } from '../../../fixtures/world.ts'
import { forgedWorld } from './forged.ts'

/** Lines of find(1), which goes down by descriptors as well: depth, type, mode, size. */
function found(target: string, ...tests: readonly string[]): string[] {
  return execFileSync('find', [target, ...tests, '-printf', '%d %y %m %s\n'], { encoding: 'utf8', maxBuffer: 1 << 26 }).trimEnd().split('\n')
}

function deepWorld(levels: number, name: string): Promise<World> {
  return forgedWorld((forger) => {
    let inside = [forger.text('end', 'at the bottom')]
    for (let level = 0; level < levels; level++) inside = [forger.text('a', `of level ${String(level)}`), forger.directory(name, forger.folder(inside), { mode: 0o750 })]
    return inside
  })
}

it.each([['3000 levels', 3000, 'd'], ['a path of 15,000 bytes', 60, 'ü'.repeat(125)]])('restores %s, with what is at the bottom, and few descriptors open', async (_, levels, name) => {
  using world = await deepWorld(levels, name)
  const target = join(world.folder, 'target')
  const before = readdirSync('/proc/self/fd').length
  let most = 0
  const watch = setInterval(() => { most = Math.max(most, readdirSync('/proc/self/fd').length) }, 5)
  const summary = await world.restore(target, { overwrite: 'changed' })
  clearInterval(watch)
  expect(summary).toMatchObject({ outcome: 'success', problems: 0, files: { found: levels + 1, uploaded: levels + 1 } })
  expect(found(target, '-name', 'end')).toEqual([`${String(levels + 1)} f 644 13`])
  expect(found(target, '-mindepth', '1', '-type', 'd')).toEqual(Array.from({ length: levels }, (): unknown => expect.stringMatching(/^\d+ d 750 /)))
  // Each thread holds about fifty folders; a chain of all of them would be thousands.
  expect(most).toBeLessThan(before + 600)
  expect(readdirSync('/proc/self/fd').length).toBeLessThan(before + 20)
  // What is there is left as it is, however deep.
  expect((await world.restore(target, { overwrite: 'changed' })).files).toMatchObject({ unchanged: levels + 1, uploaded: 0 })
  execFileSync('rm', ['-rf', target])
}, 120_000)
