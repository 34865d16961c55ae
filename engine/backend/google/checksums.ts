import { Crc32c } from '@aws-sdk/checksums/crc'
import { createHash } from 'node:crypto'
import type { Body } from '../backend.ts'
import { readPart, wholeOf } from '../http/parts.ts'

/** As Drive's `md5Checksum` and `sha256Checksum`: small hexadecimal digits. */
export async function hexDigests(body: Body, signal: AbortSignal): Promise<{ readonly md5: string; readonly sha256: string }> {
  const md5 = createHash('md5')
  const sha256 = createHash('sha256')
  await readPart(wholeOf(body), (bytes) => {
    md5.update(bytes)
    sha256.update(bytes)
  }, signal)
  return { md5: md5.digest('hex'), sha256: sha256.digest('hex') }
}

/** As Cloud Storage's `md5Hash` and `crc32c`: base64, the CRC big-endian. */
export async function base64Digests(body: Body, signal: AbortSignal): Promise<{ readonly md5: string; readonly crc32c: string }> {
  const md5 = createHash('md5')
  const crc32c = new Crc32c()
  await readPart(wholeOf(body), (bytes) => {
    md5.update(bytes)
    crc32c.update(bytes)
  }, signal)
  return { md5: md5.digest('base64'), crc32c: Buffer.from(await crc32c.digest()).toString('base64') }
}
