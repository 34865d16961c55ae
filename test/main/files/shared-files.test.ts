import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { filesHandlers, SharedFiles } from '../../../main/files/shared-files.ts'
import { FileManager, type DoorAddress } from '../../../main/files/file-manager.ts'
import { settle } from '../fakes.ts'
import { rejects } from '../jobs/handlers-world.ts'
import { openWorld } from '../jobs/world.ts'

const door = { port: 40123, user: 'holdfast', password: '00112233445566778899aabbccddeeff' }

function setUp() {
  const world = openWorld()
  const shown: DoorAddress[] = []
  const left: number[] = []
  const clipboard: string[] = []
  const manager = {
    works: true,
    addressOf: ({ port }: Pick<DoorAddress, 'port'>) => `dav://holdfast@127.0.0.1:${port}/`,
    show: async (one: DoorAddress) => {
      shown.push(one)
      return manager.works
    },
    leave: async ({ port }: Pick<DoorAddress, 'port'>) => { left.push(port) },
  }
  const files = new SharedFiles({ ...world, engines: world.supervisor, home: world.folder, manager, onChange: () => { world.counts.change += 1 } })
  const handlers = filesHandlers(files, (text) => { clipboard.push(text) })
  const answer = (): void => {
    world.last().ready()
    world.last().says({ type: 'answer', request: 1, answer: { type: 'door', ...door, snapshots: 3 } })
  }
  return { ...world, files, handlers, manager, shown, left, clipboard, answer }
}

it('opens all snapshots of a place for an hour without requests, shows them, and keeps the password from the window', async () => {
  const world = setUp()
  const { handlers, files, add, last } = world
  const jobId = await add('docs')
  expect(() => handlers['files.copyPassword']()).toThrow('Nothing is open')
  const opening = handlers['files.open']({ place: { jobId } })
  await rejects(handlers['files.open']({ place: { jobId } }), { code: 'busy' })
  expect(files.view).toBeUndefined()
  world.answer()
  expect(await opening).toEqual({ shown: true })
  expect(last().got('start')).toMatchObject([{ job: { type: 'serve', snapshots: [], port: 0, idleMs: 3_600_000 } }])
  expect(files.view).toEqual({ place: { jobId }, address: 'dav://holdfast@127.0.0.1:40123/', user: 'holdfast', shown: true })
  expect(JSON.stringify([files.view, world.lines])).not.toContain(door.password)
  await handlers['files.copyPassword']()
  expect(world.clipboard).toEqual([door.password])
  // Once more needs no other engine.
  expect(await handlers['files.open']({ place: { jobId } })).toEqual({ shown: true })
  expect([world.hosts.length, world.shown.map(({ port }) => port)]).toEqual([1, [40123, 40123]])
  await handlers['files.close']()
  expect([files.view, last().got('stop')]).toMatchObject([undefined, [{ mode: 'cancel' }]])
  last().finish({ operation: 'serve' })
  await settle()
  expect(world.left).toEqual([40123])
})

it('another place, a job that changed, and an engine that ends by itself close it; where none can be told, the window hears so', async () => {
  const world = setUp()
  const { handlers, files, add, hosts, manager } = world
  const [first, second] = [{ jobId: await add('docs') }, { jobId: await add('pictures', { destination: { type: 'folder', path: '/other' } }) }]
  manager.works = false
  const opening = handlers['files.open']({ place: first })
  world.answer()
  expect([await opening, files.view?.shown]).toEqual([{ shown: false }, false])
  const other = handlers['files.open']({ place: second })
  expect(hosts[0]?.got('stop')).toHaveLength(1)
  world.answer()
  await other
  expect(files.view?.place).toEqual(second)
  files.end(first)
  expect(files.view?.place).toEqual(second)
  world.last().finish({ operation: 'serve' })
  await settle()
  expect(files.view).toBeUndefined()
  const broken = handlers['files.open']({ place: first })
  world.last().ready()
  world.last().says({ type: 'failed', error: { code: 'offline', message: '', retryable: true } })
  world.last().exit('code 1')
  await rejects(broken, { wire: { code: 'offline' } })
  expect(files.view).toBeUndefined()
  await rejects(handlers['files.open']({ place: { jobId: 'gone' } }), { code: 'not-found' })
})

const folders: string[] = []
afterEach(() => {
  vi.unstubAllEnvs()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** Stands for GNOME's gio: writes down what it is started with and what it reads. */
function fakeGio(script: string): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-gio-'))
  folders.push(folder)
  writeFileSync(join(folder, 'gio'), `#!/bin/sh\necho "$@" >> "${folder}/words"\ncat >> "${folder}/input"\nenv >> "${folder}/environment"\n${script}\n`)
  chmodSync(join(folder, 'gio'), 0o755)
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`)
  return (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '')
}

it('mounts with the password through a pipe, and opens an address without it', async () => {
  const kept = fakeGio('exit 0')
  const opened: string[] = []
  const manager = new FileManager(async (address) => { opened.push(address) }, () => undefined, 'linux')
  expect(await manager.show(door)).toBe(true)
  await manager.leave(door)
  expect(kept('words')).toBe('mount dav://holdfast@127.0.0.1:40123/\nmount --unmount dav://holdfast@127.0.0.1:40123/\n')
  expect(kept('input')).toBe(`${door.password}\n`)
  expect(kept('environment')).not.toContain(door.password)
  expect(opened).toEqual(['dav://holdfast@127.0.0.1:40123/'])
})

it('what cannot be mounted or opened is told, and never thrown', async () => {
  const said: string[] = []
  const opening = { works: true }
  const manager = new FileManager(() => (opening.works ? Promise.resolve() : Promise.reject(new Error('no handler'))), (_level, message) => { said.push(message) }, 'linux')
  fakeGio('echo "volume does not implement mount" >&2; exit 2')
  expect([await manager.show(door), said]).toMatchObject([false, [expect.stringContaining('does not implement')]])
  fakeGio('echo "Location is already mounted" >&2; exit 2')
  expect(await manager.show(door)).toBe(true)
  opening.works = false
  expect(await manager.show(door)).toBe(false)
  vi.stubEnv('PATH', '/nonexistent')
  expect(await manager.show(door)).toBe(false)
  await manager.leave(door)
  expect(JSON.stringify(said)).not.toContain(door.password)
  expect(await new FileManager(() => Promise.resolve(), () => undefined, 'win32').show(door)).toBe(false)
})
