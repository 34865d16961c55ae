import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Folders } from '../../../main/authority/folders.ts'
import { driveHandlers } from '../../../main/jobs/drive-handlers.ts'
import { keyless, rejects, setUp } from './handlers-world.ts'

const drive = { id: '5A2B', name: 'Blue Disk', mount: '/media/mia/Blue Disk', root: '/', seen: [], readOnly: false, removable: true, system: false, freeBytes: 5, totalBytes: 9 }

function attached(mount = drive.mount, folders = new Folders()) {
  return { folders, handlers: driveHandlers({ folders, drives: async () => [{ ...drive, mount }] }) }
}

function makeDisk(...repositories: readonly string[]): { readonly mount: string } & Disposable {
  const mount = mkdtempSync(join(tmpdir(), 'holdfast-disk-'))
  for (const name of ['Films', 'été', ...repositories]) mkdirSync(join(mount, name), { recursive: true })
  for (const name of repositories) {
    mkdirSync(join(mount, name, 'packs'))
    writeFileSync(join(mount, name, 'config'), '')
  }
  return { mount, [Symbol.dispose]: () => { rmSync(mount, { recursive: true, force: true }) } }
}

it('tells of disks what a person wants to know', async () => {
  expect(await attached().handlers['drives.list']()).toEqual([{ id: '5A2B', name: 'Blue Disk', mount: '/media/mia/Blue Disk', freeBytes: 5, totalBytes: 9, removable: true }])
})

it('a folder of its own on a disk is good as a destination, and for nothing else', async () => {
  const { folders, handlers } = attached()
  const chosen = await handlers['drives.choose']({ id: '5A2B' })
  expect(chosen).toMatchObject({ path: '/media/mia/Blue Disk/Holdfast', repository: false })
  expect(folders.path('destination', chosen)).toBe('/media/mia/Blue Disk/Holdfast')
  expect(() => folders.path('sources', chosen)).toThrowError(expect.objectContaining({ code: 'arguments' }))
  await rejects(handlers['drives.choose']({ id: '/etc' }), { code: 'not-found' })
})

it.each([['Holdfast', 'Holdfast'], ['', ''], ['Backups été', 'Backups été'], ['Old', 'Old', 'Zz']])('a repository on a disk is found: %j', async (folder, ...repositories) => {
  using disk = makeDisk(...repositories)
  expect(await attached(disk.mount).handlers['drives.choose']({ id: '5A2B' })).toMatchObject({ path: join(disk.mount, folder), repository: true })
})

it('nothing is kept on a disk, copied there or read from it, without a yes', async () => {
  const world = setUp()
  const { handlers } = attached(drive.mount, world.folders)
  const { jobId } = await world.handlers['job.add']({ config: world.ask({ name: 'first' }), secrets: keyless })
  const { id } = await handlers['drives.choose']({ id: '5A2B' })
  const destination = { type: 'folder', folder: { id } } as const
  expect(world.asked).toEqual([])
  world.person.saysYes = false
  const declined = { code: 'aborted', data: { declined: true } }
  await rejects(world.handlers['job.add']({ config: world.ask({ destination }), secrets: keyless }), declined)
  await rejects(world.handlers['copy.add']({ jobId, destination, secrets: keyless, removeVanished: false }), declined)
  await rejects(world.handlers['visit.open']({ destination, secrets: keyless }), declined)
  expect(world.asked.map(({ title }) => title.includes('Blue Disk'))).toEqual([true, true, true])
  world.person.saysYes = true
  await world.handlers['job.add']({ config: world.ask({ destination }), secrets: keyless })
})
