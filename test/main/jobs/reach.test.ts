import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isWithinReach } from '../../../main/jobs/reach.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'holdfast-reach-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

it('a folder is there when it is, and one of the sources', async () => {
  const away = join(folder, 'away')
  const destination = { type: 'folder', path: folder } as const
  expect(await isWithinReach({ sources: [away, folder], destination })).toBe(true)
  expect(await isWithinReach({ sources: [away], destination })).toBe(false)
  expect(await isWithinReach({ sources: [folder], destination: { type: 'folder', path: away } })).toBe(false)
})

it('a storage is there when somebody listens at its address', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  const destination = { type: 'provider', provider: 's3', values: { bucket: 'bucket', endpoint: `http://127.0.0.1:${port}` } } as const
  expect(await isWithinReach({ sources: [folder], destination })).toBe(true)
  // What an old file holds and is no address any more is found out by the run.
  expect(await isWithinReach({ sources: [folder], destination: { ...destination, values: { endpoint: 'no address' } } })).toBe(true)
  await new Promise((resolve) => { server.close(resolve) })
  expect(await isWithinReach({ sources: [folder], destination })).toBe(false)
})
