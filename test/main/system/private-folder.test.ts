import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prepareHome } from '../../../engine/base/private-folder.ts'
import { RunHistory } from '../../../main/runs/history.ts'
import { keyFileCipher } from '../../../main/settings/ciphers.ts'
import { openSecrets } from '../../../main/settings/secrets.ts'
import { openSettings } from '../../../main/settings/settings.ts'
import { autostartFile } from '../../../main/system/login-item.ts'
import { LogFiles } from '../../../main/system/logs.ts'
import { appPaths } from '../../../main/system/paths.ts'
import { closedFolder, closeFile, ensurePrivate, openHome, ownFile } from '../../../main/system/private-folder.ts'

const modeOf = (path: string): number => statSync(path).mode & 0o7777
const self = process.getuid?.() ?? 0
let folder: string
let umask: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-private-'))
  umask = process.umask(0)
})
afterEach(() => { process.umask(umask) })

it('every file that the app keeps is known to the command line as Holdfast’s own: a folder of nothing else is closed', () => {
  const { home, ...files } = appPaths({ HOLDFAST_HOME: join(folder, 'home') })
  mkdirSync(home)
  for (const path of Object.values(files)) writeFileSync(path, '')
  chmodSync(home, 0o775)
  prepareHome(home, () => undefined)
  expect(modeOf(home)).toBe(0o700)
})

describe('a private folder', () => {
  it('is made closed, with those above it, also where everything would be open to everybody', () => {
    const path = join(folder, 'a/b/c')
    expect(openHome(path)).toEqual({ wasOpen: false })
    expect(['a', 'a/b', 'a/b/c'].map((name) => modeOf(join(folder, name)))).toEqual([0o700, 0o700, 0o700])
    expect(openHome(path)).toEqual({ wasOpen: false })
  })

  it.each([['everybody', 0o777], ['a group', 0o770], ['a group of its own', 0o775]])('that %s could write in is closed to them, and that is told', (_who, mode) => {
    const path = join(folder, 'home')
    mkdirSync(path)
    chmodSync(path, mode)
    expect(ensurePrivate(path)).toBe('was-open')
    expect(modeOf(path)).toBe(mode & 0o755)
    expect(ensurePrivate(path)).toBe('private')
  })

  it('that others may read stays as its owner made it; one of ours alone does not', () => {
    const path = join(folder, 'home')
    mkdirSync(path, { mode: 0o755 })
    expect(openHome(path)).toEqual({ wasOpen: false })
    expect(modeOf(path)).toBe(0o755)
    expect(closedFolder(path)).toEqual({ wasOpen: false })
    expect(modeOf(path)).toBe(0o700)
  })

  it('is not one that belongs to somebody else, nor a link to one', () => {
    const path = join(folder, 'theirs')
    mkdirSync(path, { mode: 0o700 })
    symlinkSync(path, join(folder, 'link'))
    expect(() => ensurePrivate(path, self + 1)).toThrow(`belongs to another user (id ${self})`)
    expect(() => ensurePrivate(join(folder, 'link'), self + 1)).toThrow('belongs to another user')
    expect(ensurePrivate(join(folder, 'link'))).toBe('private')
  })

  it('is not one that all users share, which stays as it is', () => {
    const path = join(folder, 'tmp')
    mkdirSync(path)
    chmodSync(path, 0o1777)
    expect(openHome(path).refusal).toMatch(/is shared by all users.*HOLDFAST_HOME/)
    expect(modeOf(path)).toBe(0o1777)
  })

  it('says what is wrong where it cannot be made', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(openHome(join(folder, 'file')).refusal).toMatch(/file cannot be used for its settings: EEXIST/)
    expect(openHome(join(folder, 'file/below')).refusal).toMatch(/cannot be used for its settings: ENOTDIR/)
  })
})

describe('files of the app', () => {
  it('are readable by their owner alone, whatever the umask, and so are those from before', async () => {
    const home = join(folder, 'home')
    const settings = join(home, 'settings.json')
    mkdirSync(home)
    writeFileSync(settings, '{}', { mode: 0o666 })
    await openSettings(settings, () => 0).set({ language: 'system', theme: 'dark', notifications: 'all', parallelJobs: 2, defaultConcurrency: 4, firstSuccessShown: false, dismissed: [] })
    await openSecrets(join(home, 'secrets.json'), [keyFileCipher(join(home, 'secrets.key'))], () => 0).store.set('job', 'file:///backup', { password: 'pw', storage: {} })
    const history = new RunHistory(join(home, 'history'))
    history.started('job', { id: 'run', operation: 'backup', trigger: 'manual', startedMs: 1 })
    await history.flush()
    const logs = new LogFiles(join(home, 'logs'))
    logs.write({ time: 0, level: 'info', message: 'x', context: {} })
    await logs.close()
    const open = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) => (modeOf(join(home, name)) & 0o077) !== 0)
    expect(open).toEqual([])
    expect(readdirSync(home)).toEqual(expect.arrayContaining(['secrets.json', 'secrets.key', 'history', 'logs']))
  })

  it('that somebody else owns are not read', () => {
    const path = join(folder, 'secrets.json')
    closeFile(path)
    writeFileSync(path, '{}', { mode: 0o644 })
    expect(() => closeFile(path, self + 1)).toThrow('belongs to another user')
    closeFile(path)
    expect(modeOf(path)).toBe(0o600)
  })

  it.runIf(self === 0)('take the place of another user’s file with our owner, not theirs', async () => {
    const path = join(folder, 'jobs.json')
    const { default: writeFileAtomic } = await import('write-file-atomic')
    writeFileSync(path, '')
    chownSync(path, 65534, 65534)
    await writeFileAtomic(path, 'ours', ownFile())
    expect([statSync(path).uid, readFileSync(path, 'utf8')]).toEqual([0, 'ours'])
  })

  it('that start programs at login can be written by nobody else', async () => {
    const item = autostartFile({ configFolder: join(folder, 'config'), command: ['/opt/holdfast'] })
    await item.set(true)
    const file = join(folder, 'config/autostart/holdfast.desktop')
    expect(existsSync(file)).toBe(true)
    expect([modeOf(join(folder, 'config')), modeOf(join(folder, 'config/autostart')), modeOf(file)]).toEqual([0o700, 0o700, 0o600])
  })
})
