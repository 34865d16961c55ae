import { expect, it } from 'vitest'
import { Folders } from '../../../main/authority/folders.ts'
import type { Question } from '../../../main/authority/questions.ts'
import { declined } from '../../../main/authority/ask.ts'
import { driveHandlers } from '../../../main/jobs/drive-handlers.ts'

const drive = { id: '5A2B', name: 'Blue Disk', mount: '/media/mia/Blue Disk', root: '/', seen: [], readOnly: false, removable: true, system: false, freeBytes: 5, totalBytes: 9 }

function setUp(yes: boolean) {
  const folders = new Folders()
  const asked: Question[] = []
  const handlers = driveHandlers({ folders, drives: async () => [drive], ask: async (question) => { asked.push(question); if (!yes) throw declined() } })
  return { folders, asked, handlers }
}

it('tells of disks what a person wants to know', async () => {
  expect(await setUp(true).handlers['drives.list']()).toEqual([{ id: '5A2B', name: 'Blue Disk', mount: '/media/mia/Blue Disk', freeBytes: 5, totalBytes: 9, removable: true }])
})

it('a disk that a person has said yes to is good as a destination, and for nothing else', async () => {
  const { folders, asked, handlers } = setUp(true)
  const chosen = await handlers['drives.choose']({ id: '5A2B' })
  expect(folders.path('destination', chosen)).toBe('/media/mia/Blue Disk/Holdfast')
  expect(() => folders.path('sources', chosen)).toThrowError(expect.objectContaining({ code: 'arguments' }))
  expect(asked.map(({ title }) => title)).toEqual(['Keep backups on “Blue Disk”?'])
})

it('nothing is chosen without a yes, nor on a disk that is not there', async () => {
  const { folders, asked, handlers } = setUp(false)
  await expect(handlers['drives.choose']({ id: '5A2B' })).rejects.toMatchObject({ code: 'aborted', data: { declined: true } })
  await expect(handlers['drives.choose']({ id: '/etc' })).rejects.toMatchObject({ code: 'not-found' })
  expect(asked).toHaveLength(1)
  expect(() => folders.path('destination', { id: '5A2B' })).toThrow()
})
