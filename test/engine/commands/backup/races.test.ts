import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { backup } from '../../../../engine/commands/backup.ts'
import type { Disk } from '../../../../engine/source/disk.ts'
import { hookedDisk, type DiskHooks } from '../../../fixtures/disk.ts'
import { World } from '../../../fixtures/world.ts'

const secret = 'what nobody but root may read'

let world: World
/** Where the secret is: outside of the source. */
let vault: string

beforeEach(() => {
  world = new World()
  vault = join(world.folder, 'vault')
  mkdirSync(join(vault, 'sub'), { recursive: true })
  for (const name of ['file', 'sub/file']) writeFileSync(join(vault, name), secret)
})
afterEach(() => { world[Symbol.dispose]() })

function write(name: string, content: string): string {
  const path = join(world.source, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  return path
}

const backupWith = (disk: Disk): ReturnType<typeof backup> => backup({
  ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', create: true, verify: false,
  excludes: { patterns: [], presets: [], oneFileSystem: false },
}, world.context(), disk)

/** Every file that the newest snapshot holds, by its path. */
async function stored(snapshot = 'latest'): Promise<Record<string, string>> {
  const target = join(world.folder, 'restored')
  rmSync(target, { recursive: true, force: true })
  await world.restore(target, { snapshot })
  const files = execFileSync('find', [join(target, 'source'), '-type', 'f', '-printf', '%P\\0']).toString().split('\0').filter((name) => name !== '')
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(target, 'source', name), 'utf8')]))
}

/** Puts something in the place of an entry, which moves away. */
function swap(path: string, make: (path: string) => void): void {
  renameSync(path, join(world.folder, 'moved away'))
  make(path)
}

/** Swaps once, at the first question about `path`, before it is answered or after. */
function once1(hook: keyof DiskHooks, path: string, when: 'before' | 'after', act: () => void): Disk {
  let done = false
  const run = (): void => {
    if (!done) act()
    done = true
  }
  const at = <T>(asked: string, ask: () => T): T => {
    if (asked !== path) return ask()
    if (when === 'before') run()
    const answer = ask()
    run()
    return answer
  }
  return hookedDisk({ [hook]: at })
}

describe('a folder that becomes a symlink', () => {
  test.each<[keyof DiskHooks, 'before' | 'after']>([['entry', 'before'], ['entry', 'after'], ['folder', 'before'], ['folder', 'after'], ['names', 'before'], ['names', 'after']])(
    'at its %s, %s, leads nowhere', async (hook, when) => {
      write('sub/file', 'harmless')
      write('z', 'the rest')
      const sub = join(world.source, 'sub')
      const summary = await backupWith(once1(hook, sub, when, () => { swap(sub, (path) => { symlinkSync(vault, path) }) }))
      const files = await stored()
      expect(files['z']).toBe('the rest')
      expect([undefined, 'harmless']).toContain(files['sub/file'])
      expect(Object.values(files)).not.toContain(secret)
      if (files['sub/file'] === undefined && when === 'after') expect(summary.firstProblems).toMatchObject([{ code: 'changed', path: sub }])
    },
  )

  test('while its files wait to be read is read where it was', async () => {
    const path = write('sub/file', 'harmless')
    await backupWith(once1('address', path, 'after', () => { swap(join(world.source, 'sub'), (at) => { symlinkSync(vault, at) }) }))
    expect(await stored()).toEqual({ 'sub/file': 'harmless' })
  })

  test('somewhere above leads nowhere', async () => {
    write('sub/sub/file', 'harmless')
    mkdirSync(join(vault, 'sub'), { recursive: true })
    const sub = join(world.source, 'sub')
    await backupWith(once1('entry', join(sub, 'sub'), 'before', () => { swap(sub, (path) => { symlinkSync(vault, path) }) }))
    expect(await stored()).toEqual({ 'sub/sub/file': 'harmless' })
  })
})

describe('a file that becomes something else while it waits to be read', () => {
  test.each<[string, (path: string) => void]>([
    ['a symlink', (path) => { symlinkSync(join(vault, 'file'), path) }],
    ['a FIFO', (path) => { execFileSync('mkfifo', [path]) }],
    ['a folder', (path) => { mkdirSync(path) }],
    ['a socket', (path) => { execFileSync('python3', ['-c', 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', path]) }],
    ['a device', (path) => { execFileSync('mknod', [path, 'c', '1', '3']) }],
  ])('%s is told, and hangs nothing', async (_, make) => {
    write('z', 'the rest')
    const path = write('file', 'harmless')
    const summary = await backupWith(once1('address', path, 'before', () => { swap(path, make) }))
    expect(summary).toMatchObject({ outcome: 'warnings', firstProblems: [{ code: 'changed', path }] })
    expect(await stored()).toEqual({ z: 'the rest' })
  })

  test('another file is stored as that, with its own mode', async () => {
    const path = write('file', 'harmless')
    chmodSync(path, 0o644)
    const summary = await backupWith(once1('address', path, 'before', () => {
      swap(path, (at) => { writeFileSync(at, 'for its owner only') })
      chmodSync(path, 0o600)
    }))
    expect(summary).toMatchObject({ outcome: 'success', problems: 0 })
    expect(await stored()).toEqual({ file: 'for its owner only' })
    expect(statSync(join(world.folder, 'restored/source/file')).mode & 0o777).toBe(0o600)
  })

  test('a big one too', async () => {
    const path = write('file', 'x'.repeat(9_000_000))
    const summary = await backupWith(once1('address', path, 'before', () => { swap(path, (at) => { symlinkSync(join(vault, 'file'), at) }) }))
    expect(summary).toMatchObject({ outcome: 'warnings', firstProblems: [{ code: 'changed', path }] })
    expect(await stored()).toEqual({})
  })
})

/** As another user: puts a symlink, and the real one, in the place of a folder and of a file, again and again. */
const swapper = `
const { renameSync, symlinkSync, unlinkSync } = require('node:fs')
const [top, vault, turns] = process.argv.slice(1)
for (let turn = 0; turn < Number(turns); turn++) {
  for (const [name, target] of [['sub', vault], ['file', vault + '/file'], ['deep/er', vault]]) {
    const here = top + '/' + name
    symlinkSync(target, here + '.link')
    renameSync(here, here + '.away')
    renameSync(here + '.link', here)
    unlinkSync(here)
    renameSync(here + '.away', here)
  }
}
`

test.runIf(process.getuid?.() === 0)('another user who swaps folders and files for symlinks while root runs gets nothing of root’s', async () => {
  for (let at = 0; at < 40; at++) for (const name of ['sub', 'deep/er', 'more/of it']) write(`${name}/${String(at).padStart(2, '0')}`, `harmless ${String(at)}`)
  write('file', 'harmless')
  write('sub/file', 'harmless')
  mkdirSync(join(world.source, 'deep/er/sub'))
  execFileSync('chown', ['-R', '65534:65534', world.source])
  for (const folder of [world.folder, vault]) chownSync(folder, 0, 0)
  chmodSync(world.folder, 0o755)
  chmodSync(vault, 0o700)
  for (const name of ['file', 'sub/file']) chmodSync(join(vault, name), 0o600)
  const other = spawn('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', swapper, world.source, vault, '10000000'], { stdio: 'ignore' })
  const ended = once(other, 'exit')
  let runs = 0
  while (other.exitCode === null && runs < 6) {
    // Every file counts as new, so that each is read in each run.
    for (let at = 0; at < 40; at++) utimesSync(join(world.source, `more/of it/${String(at).padStart(2, '0')}`), runs, runs)
    await world.backup({ name: `run ${String(runs)}` })
    runs++
  }
  other.kill()
  await ended
  expect(runs).toBe(6)
  for (let run = 0; run < runs; run++) {
    const files = await stored(`latest:run ${String(run)}`)
    expect(files['more/of it/00']).toBe('harmless 0')
    for (const content of Object.values(files)) expect(content).toMatch(/^harmless/)
  }
}, 180_000)

describe('the repository and the folder of Holdfast', () => {
  test('are left out, and told once, by whatever path they are reached', async () => {
    const real = join(world.folder, 'real')
    mkdirSync(join(real, 'source'), { recursive: true })
    symlinkSync(real, join(world.folder, 'link'))
    const source = join(world.folder, 'link/source')
    writeFileSync(join(source, 'file'), 'content')
    world.repository = join(real, 'source/repository')
    const home = join(real, 'source/home')
    for (const run of [1, 2]) {
      const summary = await world.backup({ sources: [source], ...{ home } })
      expect(summary).toMatchObject({ outcome: run === 1 ? 'success' : 'unchanged', files: { found: 1 }, notes: [{ code: 'own-folder', count: 2 }] })
    }
    expect(existsSync(join(home))).toBe(true)
  })

  test('are left out where a copy of the repository lies', async () => {
    write('file', 'content')
    await world.backup()
    cpSync(world.repository, join(world.source, 'copy'), { recursive: true })
    expect(await world.backup()).toMatchObject({ files: { found: 1 }, notes: [{ code: 'own-folder', count: 1, path: join(world.source, 'copy') }] })
  })

  test('are left out behind a bind mount', async ({ skip }) => {
    write('file', 'content')
    await world.backup()
    mkdirSync(join(world.source, 'mount'))
    try {
      execFileSync('mount', ['--bind', world.repository, join(world.source, 'mount')], { stdio: 'ignore' })
    } catch {
      skip('this machine lets nobody mount')
    }
    try {
      expect(await world.backup()).toMatchObject({ files: { found: 1 }, notes: [{ code: 'own-folder', count: 1 }] })
    } finally {
      execFileSync('umount', [join(world.source, 'mount')])
    }
  })
})
