import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeTree } from '../../../fixtures/tree.ts'
import { World } from '../../../fixtures/world.ts'

const asOther = ['--reuid=65534', '--regid=65534', '--clear-groups'] as const

let world: World
/** Belongs to root alone: nothing in it may change, and nothing may come to it. */
let vault: string

beforeEach(() => {
  world = new World()
  vault = join(world.folder, 'vault')
  mkdirSync(join(vault, 'er'), { recursive: true })
  for (const name of ['file', '00', 'er/00']) writeFileSync(join(vault, name), 'root’s own', { mode: 0o600 })
  execFileSync('touch', ['-d', '2001-02-03', join(vault, 'file'), join(vault, 'er'), vault])
  chmodSync(world.folder, 0o755)
})
afterEach(() => { world[Symbol.dispose]() })

/** As another user: puts a symlink to the vault, a hard link or a FIFO, and then the real one, in the place of what is restored, again and again. */
const swapper = `
const { renameSync, symlinkSync, unlinkSync, mkdirSync, rmdirSync } = require('node:fs')
const [top, vault] = process.argv.slice(1)
let swaps = 0
const attempt = (act) => { try { act(); return true } catch { return false } }
process.on('SIGTERM', () => { process.stdout.write(String(swaps)); process.exit(0) })
function turn() {
  for (const [name, target] of [['sub', vault], ['sub/00', vault + '/00'], ['deep/er', vault + '/er'], ['deep', vault], ['file', vault + '/file'], ['new', vault]]) {
    const here = top + '/' + name
    attempt(() => symlinkSync(target, here + '.link'))
    const moved = attempt(() => renameSync(here, here + '.away'))
    if (attempt(() => renameSync(here + '.link', here))) swaps++
    if (moved) { attempt(() => unlinkSync(here)); attempt(() => renameSync(here + '.away', here)) }
  }
  setImmediate(turn)
}
turn()
`

test.runIf(process.getuid?.() === 0)('another user who swaps what root restores for symlinks gets root to write, own or open nothing elsewhere', async () => {
  for (let at = 0; at < 40; at++) {
    for (const name of ['sub', 'deep/er', 'more']) {
      mkdirSync(join(world.source, name), { recursive: true })
      writeFileSync(join(world.source, name, String(at).padStart(2, '0')), `restored ${String(at)}`)
      chmodSync(join(world.source, name, String(at).padStart(2, '0')), 0o666)
    }
  }
  writeFileSync(join(world.source, 'file'), 'restored')
  execFileSync('chown', ['-R', '65534:65534', world.source])
  await world.backup()
  const before = describeTree(vault)
  const target = join(world.folder, 'theirs')
  mkdirSync(join(target, 'source'), { recursive: true })
  execFileSync('chown', ['-R', '65534:65534', target])
  for (const folder of [world.folder, vault]) chownSync(folder, 0, 0)
  chmodSync(vault, 0o755)
  const vaultBefore = describeTree(vault)
  const other = spawn('setpriv', [...asOther, process.execPath, '-e', swapper, join(target, 'source'), vault], { stdio: ['ignore', 'pipe', 'inherit'] })
  let swaps = ''
  other.stdout.setEncoding('utf8').on('data', (text: string) => { swaps += text })
  const closed = once(other, 'close')
  const outcomes: string[] = []
  for (const overwrite of ['always', 'never', 'changed', 'always', 'always', 'changed', 'always', 'always'] as const) {
    // Anew each time, so that folders are made and files dressed while they are swapped.
    rmSync(join(target, 'source/more'), { recursive: true, force: true })
    outcomes.push(await world.restore(target, { overwrite }).then(({ outcome }) => outcome, (error: unknown) => String(error)))
  }
  other.kill()
  await closed
  expect(Number(swaps), 'swaps that happened').toBeGreaterThan(500)
  expect(describeTree(vault)).toEqual(vaultBefore)
  expect(before.length).toBe(vaultBefore.length)
  for (const name of ['file', '00', 'er/00']) expect(readFileSync(join(vault, name), 'utf8')).toBe('root’s own')
  // What nobody touched is there.
  expect(readFileSync(join(target, 'source/more/00'), 'utf8')).toBe('restored 0')
  for (const outcome of outcomes) expect(['success', 'unchanged', 'warnings']).toContain(outcome)
  const calm = join(world.folder, 'calm')
  expect(await world.restore(calm)).toMatchObject({ outcome: 'success' })
  expect(statSync(join(calm, 'source/sub/00')).uid).toBe(65534)
}, 120_000)
