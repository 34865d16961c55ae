import { Crc32c } from '@aws-sdk/checksums/crc'
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { throwIfAborted } from '../../base/abort.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Body } from '../backend.ts'

const readBytes = 256 * 1024

/** A running checksum of bytes. */
interface Running {
  update(bytes: Uint8Array): void
}

/** Goes through the bytes of a body once, slice by slice. Errors: damaged (the file is shorter than it says). */
async function feed(body: Body, sinks: readonly Running[], signal: AbortSignal): Promise<void> {
  if (body.type === 'bytes') {
    for (const sink of sinks) sink.update(body.bytes)
    return
  }
  await using file = await open(body.path, 'r')
  const buffer = Buffer.allocUnsafe(readBytes)
  for (let offset = 0; offset < body.size; ) {
    throwIfAborted(signal)
    const { bytesRead } = await file.read(buffer, 0, Math.min(readBytes, body.size - offset), offset)
    if (bytesRead === 0) throw new HoldfastError('damaged', 'The file being sent has become shorter than it was sealed.')
    for (const sink of sinks) sink.update(buffer.subarray(0, bytesRead))
    offset += bytesRead
  }
}

/** As Drive's `md5Checksum` and `sha256Checksum`: small hexadecimal digits. */
export async function hexDigests(body: Body, signal: AbortSignal): Promise<{ readonly md5: string; readonly sha256: string }> {
  const md5 = createHash('md5')
  const sha256 = createHash('sha256')
  await feed(body, [md5, sha256], signal)
  return { md5: md5.digest('hex'), sha256: sha256.digest('hex') }
}

/** As Cloud Storage's `md5Hash` and `crc32c`: base64, the CRC big-endian. */
export async function base64Digests(body: Body, signal: AbortSignal): Promise<{ readonly md5: string; readonly crc32c: string }> {
  const md5 = createHash('md5')
  const crc32c = new Crc32c()
  await feed(body, [md5, crc32c], signal)
  return { md5: md5.digest('base64'), crc32c: Buffer.from(await crc32c.digest()).toString('base64') }
}
