import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Folders } from '../../../main/authority/folders.ts'
import { sizeOf } from '../../../main/jobs/measure.ts'
import { sourceHandlers } from '../../../main/jobs/sources.ts'
import { keyless, rejects, setUp } from './handlers-world.ts'

const excludes = { patterns: ['/.cargo/registry/', '*.iso'], presets: ['caches', 'trash', 'node_modules', 'nobackup', 'cachedir'], oneFileSystem: true } as const

/** A home with real files of so many bytes. */
function makeHome(files: Readonly<Record<string, number>>): { readonly path: string; readonly at: (path: string) => string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-sources-'))
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), 'x'.repeat(bytes))
  }
  return { path, at: (name) => join(path, name), [Symbol.dispose]: () => { rmSync(path, { recursive: true, force: true }) } }
}

describe('the size of folders', () => {
  it('is bounded work, follows no link, and passes over what is not there', async () => {
    using home = makeHome({ 'a/1': 10, 'a/2': 20, 'a/b/3': 30, 'a/été 2026/4': 40, 'c/5': 7 })
    symlinkSync(home.path, home.at('a/b/loop'))
    expect(await sizeOf([home.at('a')], { most: 100 })).toEqual({ bytes: 100, files: 4, isMore: false })
    expect(await sizeOf([home.at('a'), home.at('c')], { most: 100 })).toEqual({ bytes: 107, files: 5, isMore: false })
    expect(await sizeOf([home.at('a')], { most: 2 })).toMatchObject({ isMore: true })
    expect(await sizeOf([home.at('a')], { most: 100, untilMs: performance.now() - 1 })).toEqual({ bytes: 0, files: 0, isMore: true })
    expect(await sizeOf([home.at('gone')], { most: 100 })).toEqual({ bytes: 0, files: 0, isMore: false })
  })

  it('is that of what a backup would take', async () => {
    using home = makeHome({
      'Documents/letter.odt': 100, 'Documents/disk.iso': 5000, '.cache/x': 5000, '.cargo/registry/x': 5000, '.cargo/config.toml': 3, '.local/share/Trash/files/x': 5000, 'code/node_modules/a/b.js': 5000,
      'code/main.ts': 20, 'scratch/.nobackup': 0, 'scratch/large': 5000, 'scratch/sub/large': 5000, 'built/CACHEDIR.TAG': 43, 'built/large': 5000,
    })
    expect(await sizeOf([home.path], { most: 1000, excludes })).toEqual({ bytes: 123, files: 3, isMore: false })
  })

  it('of many files in one folder is whole', async () => {
    using home = makeHome(Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`f${at}`, at])))
    expect(await sizeOf([home.path], { most: 100 })).toEqual({ bytes: 4950, files: 100, isMore: false })
  })
})

describe('what a first job may back up', () => {
  it('is the home, without what programs have downloaded into it', async () => {
    using home = makeHome({ '.cargo/registry/x': 1, '.rustup/toolchains/x': 1, 'go/pkg/mod/x': 1, '.ollama/other': 1, 'Documents/x': 1 })
    const folders = new Folders()
    const { folder, leaveOut } = await sourceHandlers({ home: home.path, folders })['sources.suggest']()
    expect(folder.path).toBe(home.path)
    expect(folders.path('sources', folder)).toBe(home.path)
    expect(leaveOut).toEqual(['/.cargo/registry/', '/.rustup/toolchains/', '/go/pkg/mod/'])
  })

  it('is the same folder each time, so that opening a form a thousand times forgets nothing that was chosen', async () => {
    const folders = new Folders()
    const [chosen] = folders.add('sources', ['/a'])
    const handlers = sourceHandlers({ home: '/home/mia', folders })
    const ids = new Set<string>()
    for (let at = 0; at < 5000; at++) ids.add(folders.offer('sources', '/home/mia').id)
    expect(ids).toEqual(new Set([(await handlers['sources.suggest']()).folder.id]))
    expect(folders.path('sources', chosen ?? { id: '' })).toBe('/a')
  })

  it('makes a job only when somebody says yes, unless it was chosen in a dialog', async () => {
    const world = setUp()
    const proposed = world.ask({ sources: [world.folders.offer('sources', '/home/mia')] })
    world.person.saysYes = false
    await rejects(world.handlers['job.add']({ config: proposed, secrets: keyless }), { code: 'aborted', data: { declined: true } })
    expect(world.store.all).toEqual([])
    expect(world.asked.at(-1)).toMatchObject({ title: expect.stringContaining('/backup') as string, detail: expect.stringContaining('/home/mia') as string })
    await world.handlers['job.add']({ config: world.ask({ name: 'chosen' }), secrets: keyless })
    world.person.saysYes = true
    const { jobId } = await world.handlers['job.add']({ config: proposed, secrets: keyless })
    expect(world.store.get(jobId).config.sources).toEqual(['/home/mia'])
    // Nor does a job that is there get it unnoticed.
    world.person.saysYes = false
    const update = { jobId, config: { ...proposed, sources: [...proposed.sources] }, secrets: {} }
    await rejects(world.handlers['job.update'](update), { code: 'aborted', data: { declined: true } })
  })
})

describe('a size that is asked for', () => {
  it('is that of the folders that were chosen, or proposed', async () => {
    using home = makeHome({ 'a/1': 10, 'b/2': 5, '.cache/3': 500 })
    const folders = new Folders()
    const handlers = sourceHandlers({ home: home.path, folders })
    const { folder } = await handlers['sources.suggest']()
    expect(await handlers['sources.measure']({ sources: [folder], excludes })).toEqual({ bytes: 15, files: 2, isMore: false })
    expect(await handlers['sources.measure']({ sources: folders.add('sources', [home.at('a')]), excludes })).toEqual({ bytes: 10, files: 1, isMore: false })
    await rejects(handlers['sources.measure']({ sources: [{ id: 'made-up' }], excludes }), { code: 'arguments' })
  })

  it.each([
    ['somebody no longer wants it', (handlers: ReturnType<typeof sourceHandlers>) => handlers['sources.endMeasure']()],
    ['the page is left', (_handlers: ReturnType<typeof sourceHandlers>, folders: Folders) => { folders.forget() }],
    ['another is asked for', (handlers: ReturnType<typeof sourceHandlers>, folders: Folders) => handlers['sources.measure']({ sources: folders.add('sources', ['/nowhere']), excludes })],
  ])('is given up where %s', async (_when, giveUp) => {
    using home = makeHome(Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`${at}/f`, 1])))
    const folders = new Folders()
    const handlers = sourceHandlers({ home: home.path, folders })
    const size = rejects(handlers['sources.measure']({ sources: folders.add('sources', [home.path]), excludes }), { code: 'aborted' })
    await Promise.resolve(giveUp(handlers, folders))
    await size
  })
})
