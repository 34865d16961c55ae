import { expect, test } from 'vitest'
import { manifestSource, parseManifest, rootOf, sourceBytes, type Manifest } from '../../../engine/snapshot/manifest.ts'

const path = Uint8Array.of(0x2f, 0x68, 0xff, 0xfe)
const manifest: Manifest = {
  version: 1, job: 'Documents', host: 'desk', user: 'me', sources: [manifestSource(path.subarray(1), path)], root: 'ab'.repeat(32), startedMs: 1, finishedMs: 2, timeZone: 'UTC',
  counters: { files: 1, directories: 2, others: 3, bytes: 4, uploadedBytes: 5 }, program: 'holdfast 0.1.0', parent: 'Documents@3', problems: 0,
}

test('comes back from JSON, with exact bytes of paths', () => {
  const parsed = parseManifest(JSON.parse(JSON.stringify(manifest)), 'it')
  expect(parsed).toEqual(manifest)
  expect(Buffer.compare(sourceBytes(parsed.sources[0] ?? manifestSource(path, path)).path, path)).toBe(0)
  expect(Buffer.from(rootOf(parsed)).toString('hex')).toBe(manifest.root)
  const { parent: _parent, ...first } = manifest
  expect(parseManifest(first, 'it')).toEqual(first)
})

test.each<[string, unknown]>([
  ['nothing', null], ['a text', 'manifest'], ['no root', { ...manifest, root: 'ab' }], ['a negative count', { ...manifest, problems: -1 }],
  ['an unknown field', { ...manifest, more: 1 }], ['a source that is no base64', { ...manifest, sources: [{ name: '*', path: '' }] }],
  ['a missing job', { ...manifest, job: undefined }], ['a time that is none', { ...manifest, startedMs: '1' }],
])('with %s is damaged, and the error names it', (_name, value) => {
  expect(() => parseManifest(value, 'snapshots/a/0/1')).toThrow(expect.objectContaining({ code: 'damaged', message: expect.stringContaining('snapshots/a/0/1') as string }))
})

const origin = { repository: 'c'.repeat(32), job: 'Documents', revision: '7', nonce: 'd'.repeat(32) }

test('one with an origin is of version 2, so that programs that know no origins refuse it by its version', () => {
  expect(parseManifest({ ...manifest, version: 2, origin }, 'it')).toEqual({ ...manifest, version: 2, origin })
  for (const wrong of [{ ...manifest, origin }, { ...manifest, version: 2 }, { ...manifest, version: 2, origin: { ...origin, revision: '0' } }]) {
    expect(() => parseManifest(wrong, 'it')).toThrow(expect.objectContaining({ code: 'damaged' }))
  }
})

test('a newer one is told from a damaged one', () => {
  expect(() => parseManifest({ ...manifest, version: 3, shape: 'unknown' }, 'it')).toThrow(expect.objectContaining({ code: 'version' }))
})
