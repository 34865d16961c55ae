import { describe, expect, it } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { BackendWrapper } from '../../../../engine/backend/wrappers/wrapper.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { systemRandom } from '../../../../engine/repository/crypto.ts'
import { annotateSnapshot, annotationOf, isPinned, readAnnotations, removeAnnotationsOfForgotten, scopeOf } from '../../../../engine/repository/protocol/annotations.ts'
import { forgetSnapshot } from '../../../../engine/repository/protocol/forget.ts'
import { annotationName, annotationPrefix, parseAnnotationName, snapshotName, type SnapshotRef } from '../../../../engine/repository/protocol/names.ts'
import { sealAnnotation, sealDecision } from '../../../../engine/repository/protocol/records.ts'
import type { Repository } from '../../../../engine/repository/repository.ts'
import { sealObject } from '../../../../engine/repository/sealed.ts'
import type { Annotation } from '../../../../engine/snapshot/annotation.ts'
import { jobKey, manifestOf, repositoryOn } from '../../../model/repository.ts'
import { newBackend, never } from '../support.ts'

const nonce = 'ab'.repeat(16)

function refOf(revision: number, suffix = ''): SnapshotRef {
  return { jobKey: jobKey('j'), revision, suffix }
}

async function commit(repository: Repository, ref: SnapshotRef): Promise<void> {
  const bytes = sealDecision(repository.keys, ref, { type: 'manifest', nonce, manifest: manifestOf('j', 'a') })
  await repository.backend.put(snapshotName(ref), { type: 'bytes', bytes }, {}, never)
}

async function notesOf(repository: Repository): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of repository.backend.list('notes/', never)) names.push(name)
  return names
}

async function said(repository: Repository, ref: SnapshotRef): Promise<Annotation> {
  return annotationOf(await readAnnotations(repository, scopeOf(ref), new Map(), never), ref)
}

interface Hooks {
  readonly beforeGet?: (name: string) => Promise<void>
  readonly deniesRemoval?: boolean
  readonly spoilsNotes?: boolean
}

/** Does something else right before a GET, or does not do what it is asked for. */
class Hooked extends BackendWrapper {
  readonly #hooks: Hooks

  constructor(inner: StorageBackend, hooks: Hooks) {
    super(inner)
    this.#hooks = hooks
  }

  override async get(...args: Parameters<StorageBackend['get']>): Promise<Uint8Array> {
    await this.#hooks.beforeGet?.(args[0])
    const bytes = Uint8Array.from(await this.inner.get(...args))
    if (this.#hooks.spoilsNotes && args[0].startsWith('notes/')) bytes[40] = (bytes[40] ?? 0) ^ 1
    return bytes
  }

  override async remove(...args: Parameters<StorageBackend['remove']>): Promise<void> {
    if (this.#hooks.deniesRemoval) throw new HoldfastError('denied', 'no')
    await this.inner.remove(...args)
  }
}

describe.each(['cas', 'flags'] as const)('annotations, %s', (arbiter) => {
  const ref = refOf(3, arbiter === 'flags' ? nonce : '')

  async function repositoryWithSnapshot(): Promise<Repository> {
    const repository = repositoryOn(newBackend(), arbiter)
    await commit(repository, ref)
    return repository
  }

  it('are said, changed and tidied up', async () => {
    const repository = await repositoryWithSnapshot()
    expect(await said(repository, ref)).toEqual({ pinned: false, name: '', note: '' })
    await annotateSnapshot(repository, ref, { pinned: true, name: 'one' }, systemRandom, never)
    expect(await annotateSnapshot(repository, ref, { note: 'two' }, systemRandom, never)).toEqual({ pinned: true, name: 'one', note: 'two' })
    expect(await notesOf(repository)).toHaveLength(2)
    expect(await annotateSnapshot(repository, ref, { pinned: false, name: '' }, systemRandom, never)).toEqual({ pinned: false, name: '', note: 'two' })
    expect(await notesOf(repository)).toHaveLength(2)
    expect(await said(repository, ref)).toEqual({ pinned: false, name: '', note: 'two' })
  })

  it('need no right to delete', async () => {
    const repository = await repositoryWithSnapshot()
    const append = { ...repository, backend: new Hooked(repository.backend, { deniesRemoval: true }) }
    for (const name of ['a', 'b', 'c']) await annotateSnapshot(append, ref, { name }, systemRandom, never)
    expect(await notesOf(repository)).toHaveLength(3)
    expect((await said(repository, ref)).name).toBe('c')
  })

  it('end the same everywhere when two machines speak at once, and both keep what the other did not touch', async () => {
    const repository = await repositoryWithSnapshot()
    await annotateSnapshot(repository, ref, { name: 'old', note: 'old' }, systemRandom, never)
    let other: Promise<Annotation> | undefined
    // The other one speaks after this one has read, before it writes: this one's next GET is that of its own note.
    const first = { ...repository, backend: new Hooked(repository.backend, { beforeGet: async () => { await (other ??= annotateSnapshot(repository, ref, { pinned: true, name: 'theirs' }, systemRandom, never)) } }) }
    await annotateSnapshot(first, ref, { name: 'ours', note: 'ours' }, systemRandom, never)
    const merged = await said(repository, ref)
    expect(merged).toMatchObject({ pinned: true, note: 'ours' })
    expect(['ours', 'theirs']).toContain(merged.name)
    expect(await said(repository, ref)).toEqual(merged)
  })

  it('are refused for a snapshot that is forgotten, also meanwhile, and leave nothing', async () => {
    const repository = await repositoryWithSnapshot()
    const late = { ...repository, backend: new Hooked(repository.backend, { beforeGet: async (name) => { if (name.startsWith('notes/')) await forgetSnapshot(repository, ref, never) } }) }
    await expect(annotateSnapshot(late, ref, { pinned: true }, systemRandom, never)).rejects.toMatchObject({ code: 'not-found' })
    expect(await notesOf(repository)).toEqual([])
    await expect(annotateSnapshot(repository, ref, { pinned: true }, systemRandom, never)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('keep the old when the storage spoils the new', async () => {
    const repository = await repositoryWithSnapshot()
    await annotateSnapshot(repository, ref, { pinned: true }, systemRandom, never)
    await expect(annotateSnapshot({ ...repository, backend: new Hooked(repository.backend, { spoilsNotes: true }) }, ref, { pinned: false }, systemRandom, never)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await notesOf(repository)).toHaveLength(2)
  })

  it('pin what they cannot be read of', async () => {
    const repository = await repositoryWithSnapshot()
    const id = 'cd'.repeat(16)
    const put = (bytes: Uint8Array): Promise<void> => repository.backend.put(annotationName(ref, id), { type: 'bytes', bytes }, {}, never)
    const read = () => readAnnotations(repository, '', new Map(), never)
    await put(Buffer.from('nothing of ours'))
    expect([isPinned(await read(), ref), isPinned(await read(), refOf(4))]).toEqual([true, false])
    await put(sealObject(repository.keys, annotationName(ref, id), 'note', Buffer.from(JSON.stringify({ version: 2, holds: 'until 2030' }))))
    const { found } = await read()
    expect(found.get(annotationPrefix(ref))?.unreadable.map(({ error }) => error.code)).toEqual(['version'])
    // Nobody tidies up what he does not understand.
    await expect(annotateSnapshot(repository, ref, { pinned: false }, systemRandom, never)).rejects.toMatchObject({ code: 'version' })
    await put(sealObject(repository.keys, annotationName(ref, id), 'note', Buffer.from(JSON.stringify({ version: 1, counter: 1, holds: 'until 2030' }))))
    expect((await read()).found.get(annotationPrefix(ref))?.unreadable.map(({ error }) => error.code)).toEqual(['damaged'])
    // In another's place it does not open.
    await put(sealAnnotation(repository.keys, refOf(4), { id, counter: 1, change: { pinned: false } }))
    expect(isPinned(await read(), ref)).toBe(true)
  })

  it('go when their snapshot is forgotten, and only then', async () => {
    const repository = await repositoryWithSnapshot()
    const other = refOf(4, ref.suffix)
    await commit(repository, other)
    for (const each of [ref, other]) await annotateSnapshot(repository, each, { pinned: true }, systemRandom, never)
    await repository.backend.put('notes/desktop.ini', { type: 'bytes', bytes: Buffer.from('x') }, {}, never)
    expect(await removeAnnotationsOfForgotten(repository, never)).toBe(0)
    await forgetSnapshot(repository, ref, never)
    expect(await removeAnnotationsOfForgotten(repository, never)).toBe(1)
    expect(await notesOf(repository)).toEqual([expect.stringContaining(annotationPrefix(other)), 'notes/desktop.ini'].sort())
    expect((await readAnnotations(repository, '', new Map(), never)).unknown.map(({ object }) => object)).toEqual(['notes/desktop.ini'])
  })
})

it('names go both ways, and others are no notes', () => {
  for (const ref of [refOf(1), refOf(1_234_567, nonce)]) expect(parseAnnotationName(annotationName(ref, nonce))).toEqual({ ref, id: nonce })
  for (const name of ['notes/x', `notes/${nonce}/0/${nonce}`, `notes/${nonce}/1/${nonce}/x`, `notes/${nonce}/1-x/${nonce}`, `notes/${nonce}/1`]) {
    expect(() => parseAnnotationName(name)).toThrow(expect.objectContaining({ code: 'version' }))
  }
})
