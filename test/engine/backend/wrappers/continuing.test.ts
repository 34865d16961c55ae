import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { StorageBackend, UploadJournal } from '../../../../engine/backend/backend.ts'
import { openMemory } from '../../../../engine/backend/memory/memory.ts'
import { withContinuing } from '../../../../engine/backend/wrappers/continuing.ts'
import { withSortedLists } from '../../../../engine/backend/wrappers/sorted-lists.ts'
import { BackendWrapper } from '../../../../engine/backend/wrappers/wrapper.ts'

const journal: UploadJournal = { get: (name) => (name === 'packs/begun' ? '{}' : undefined), set: () => undefined, delete: () => undefined }

class Resumable extends BackendWrapper {
  constructor(resumable: boolean) {
    const memory = openMemory(randomUUID())
    super(memory, { ...memory.traits, resumable, listing: { order: 'any', cost: 'folder' } })
  }
}

const begun = (backend: StorageBackend): readonly (boolean | undefined)[] => ['packs/begun', 'packs/other'].map((name) => backend.continues?.(name))

test('says which uploads go on, through every wrapper', () => {
  expect(begun(withSortedLists(withContinuing(new Resumable(true), journal)))).toEqual([true, false])
})

test('none do without a journal, or where the storage cannot', () => {
  expect(begun(withContinuing(new Resumable(true), undefined))).toEqual([false, false])
  expect(begun(withContinuing(new Resumable(false), journal))).toEqual([false, false])
  expect(begun(openMemory(randomUUID()))).toEqual([undefined, undefined])
})
