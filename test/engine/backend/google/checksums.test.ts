import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { base64Digests, hexDigests } from '../../../../engine/backend/google/checksums.ts'
import { codeOf } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const check = { type: 'bytes', bytes: Buffer.from('123456789') } as const

test('the check value of CRC-32C, as Cloud Storage writes it', async () => {
  // https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iscsi: 0xe3069283, big-endian in base64.
  expect((await base64Digests(check, never)).crc32c).toBe('4waSgw==')
  expect((await base64Digests(check, never)).md5).toBe('JfnnlDI7RTiF9RgfG2JNCw==')
})

test('a file has the digests of its bytes, in slices too; one that has become shorter is damaged', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-checksums-'))
  const bytes = Buffer.alloc(700_001, 'holdfast')
  const file = { type: 'file', path: join(folder, 'pack'), size: bytes.length, crc32: crc32(bytes) } as const
  await writeFile(file.path, bytes)
  expect(await hexDigests(file, never)).toEqual(await hexDigests({ type: 'bytes', bytes }, never))
  expect(await base64Digests(file, never)).toEqual(await base64Digests({ type: 'bytes', bytes }, never))
  expect(await codeOf(hexDigests({ ...file, size: bytes.length + 1 }, never))).toBe('damaged')
  expect(await codeOf(hexDigests(file, AbortSignal.abort()))).toBe('aborted')
  await rm(folder, { recursive: true })
})
