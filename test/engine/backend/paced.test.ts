import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { paceSliceBytes, type Body } from '../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../engine/backend/credentials.ts'
import { openBackend } from '../../../engine/backend/open.ts'
import { BoxServer } from '../../servers/box.ts'
import { DropboxServer } from '../../servers/dropbox.ts'

const never = new AbortController().signal
const mebibyte = 1024 * 1024

/** Services with several ways to send an object: small, in one request, in a session. */
describe.each([['dropbox', DropboxServer], ['box', BoxServer]] as const)('%s', (id, Server) => {
  test.each([1000, 300_000, 5 * mebibyte, 22 * mebibyte])('each of %i bytes asks leave once to go, and once to come, in slices', async (size) => {
    await using server = await Server.start()
    await using backend = await openBackend(`${id}:/x`, { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin })
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-paced-'))
    const bytes = randomBytes(size)
    writeFileSync(join(folder, 'file'), bytes)
    const bodies: readonly Body[] = [{ type: 'bytes', bytes }, { type: 'file', path: join(folder, 'file'), size, crc32: crc32(bytes) }]
    for (const body of bodies) {
      const slices: number[] = []
      const pace = async (slice: number): Promise<void> => { slices.push(slice) }
      await backend.put(body.type, body, { pace }, never)
      expect(sum(slices)).toBe(size)
      slices.length = 0
      expect(Buffer.compare(await backend.get(body.type, 'all', never, pace), bytes)).toBe(0)
      expect(sum(slices)).toBe(size)
      expect(Math.max(...slices)).toBeLessThanOrEqual(paceSliceBytes)
    }
    rmSync(folder, { recursive: true })
  })
})

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
