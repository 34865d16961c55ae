import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { BlobHasher } from '../../../engine/repository/blob-id.ts'
import { decodeIndex } from '../../../engine/repository/index-codec.ts'
import { listKeys } from '../../../engine/repository/keys.ts'
import { loadBlob, readPackContents } from '../../../engine/repository/pack-reader.ts'
import { openRepository, type Repository } from '../../../engine/repository/repository.ts'
import { openObject } from '../../../engine/repository/sealed.ts'
import { attributesBlob, decodeAttributes, storeAttributes } from '../../../engine/snapshot/attributes.ts'
import { decodeList, encodeList } from '../../../engine/snapshot/content.ts'
import { decodeTree, encodeBranch, encodeLeaf } from '../../../engine/snapshot/tree.ts'
import { plain } from '../snapshot/support.ts'
import { locationsOf, never, newBackend } from './support.ts'

/** A small repository as format version 1 wrote it on the day it was fixed: whatever changes, this must still open. */
interface Fixture {
  readonly password: string
  readonly masterKey: string
  readonly keyName: string
  readonly repositoryId: string
  readonly objects: Readonly<Record<string, string>>
  readonly blobs: readonly { readonly id: string; readonly bytes: string }[]
  readonly leaf: string
  readonly leafId: string
  readonly branch: string
  readonly list: string
  readonly attributes: string
}

const fixture = JSON.parse(readFileSync(new URL('../../fixtures/format-1.json', import.meta.url), 'utf8')) as Fixture
const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64')
const pack = 'ab'.repeat(16)
const index = `index/${'cd'.repeat(16)}`

async function openFixture(): Promise<Repository> {
  const backend = newBackend()
  for (const [name, bytes] of Object.entries(fixture.objects)) await backend.put(name, { type: 'bytes', bytes: bytesOf(bytes) }, {}, never)
  return openRepository(backend, fixture.password, never)
}

test('its config and key open', async () => {
  const repository = await openFixture()
  expect(Buffer.from(repository.masterKey).toString('base64')).toBe(fixture.masterKey)
  expect(repository.config).toEqual({
    formatVersion: 1, repositoryId: fixture.repositoryId, arbiter: 'cas', createdMs: Date.UTC(2026, 10, 22),
    chunker: { minBytes: 262_144, averageBytes: 1_048_576, maxBytes: 4_194_304 },
  })
  expect(await listKeys(repository, never)).toEqual([{ name: fixture.keyName, label: 'fixture', createdMs: Date.UTC(2026, 10, 22), current: true }])
})

test('its pack, index and blobs open', async () => {
  const repository = await openFixture()
  const [known] = decodeIndex(openObject(repository.keys, index, 'index', bytesOf(fixture.objects[index] ?? '')))
  if (!known) throw new Error('no pack in the index')
  expect([known.name, known.size]).toEqual([pack, bytesOf(fixture.objects[`packs/ab/${pack}`] ?? '').length])
  const contents = await readPackContents(repository.backend, repository.keys, known, never)
  expect(plain(contents)).toEqual(plain(known.contents))
  expect(contents.segments.map(({ compression, blobs }) => [compression, blobs.length])).toEqual([['zstd', 2], ['none', 1], ['none', 0]])
  const locations = locationsOf(pack, contents)
  for (const [at, { id, bytes }] of fixture.blobs.entries()) {
    const blob = await loadBlob(repository, { locate: () => locations[at] }, Buffer.from(id, 'hex'), never)
    expect(Buffer.from(blob).toString('base64')).toBe(bytes)
  }
})

test('its trees and lists decode, and are encoded in the same way today', async () => {
  const { keys } = await openFixture()
  const leaf = decodeTree(bytesOf(fixture.leaf))
  if (leaf.type !== 'leaf') throw new Error('no leaf')
  expect(leaf.nodes.map(({ type, name, mode }) => [type, Buffer.from(name).toString('latin1'), mode])).toEqual([['directory', 'dir', 0o755], ['fifo', 'fifo', 0o644], ['file', 'f\xff', 0o644], ['symlink', 'g', 0o644]])
  expect(leaf.nodes[2]).toMatchObject({ mtimeNs: 1_700_000_000_123_456_789n, ctimeNs: -1n, inode: 2n ** 63n, device: 7n, size: 300, sparse: true, linkCount: 2, birthNs: 1_600_000_000_000_000_001n })
  expect(plain(leaf.nodes[2]?.attributes)).toEqual(plain([{ kind: 1, name: Buffer.from('user.a'), value: Buffer.from('b') }]))
  expect(Buffer.from(encodeLeaf(leaf.nodes)).toString('base64')).toBe(fixture.leaf)
  expect(Buffer.from(new BlobHasher(keys.blobId).idOf(bytesOf(fixture.leaf))).toString('hex')).toBe(fixture.leafId)
  const attributes = decodeAttributes(bytesOf(fixture.attributes))
  expect(plain(attributes)).toEqual(plain([{ kind: 1, name: Buffer.from('user.long'), value: Buffer.alloc(600, 7) }, { kind: 2, name: Buffer.of(), value: Buffer.of(0x40, 0, 0, 0) }]))
  const id = storeAttributes((bytes) => {
    expect(Buffer.from(bytes).toString('base64')).toBe(fixture.attributes)
    return new BlobHasher(keys.blobId).idOf(bytes)
  }, attributes.toReversed())
  expect(plain(id)).toEqual(plain(leaf.nodes[0] && attributesBlob(leaf.nodes[0])))
  const branch = decodeTree(bytesOf(fixture.branch))
  if (branch.type !== 'branch') throw new Error('no branch')
  expect(Buffer.from(encodeBranch(branch.depth, branch.children)).toString('base64')).toBe(fixture.branch)
  expect(Buffer.from(encodeList(0, decodeList(bytesOf(fixture.list)).ids)).toString('base64')).toBe(fixture.list)
})
