import { expect, test } from 'vitest'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { DriveServer } from '../../../servers/gdrive.ts'
import { names } from '../../../suites/backend-contract.ts'
import { makeUnreliable, throughFaults } from '../google/unreliable.ts'

const never = new AbortController().signal

test('objects of many folders go through retries and limits to a service that fails, each once, and away again', async () => {
  await using server = await DriveServer.start()
  makeUnreliable(server)
  const { backend, faulty } = throughFaults(await openBackend('gdrive:/Holdfast', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin }))
  const wanted = new Map(Array.from({ length: 150 }, (_, index) => [`some/${index % 7}/${index}`, Buffer.alloc(1 + index * 97, `${index}`)] as const))
  const side = async (work: (name: string, bytes: Buffer) => Promise<void>): Promise<void> => {
    const queue = wanted.entries()
    await Promise.all(Array.from({ length: 6 }, async () => { for (const [name, bytes] of queue) await work(name, bytes) }))
  }
  await side((name, bytes) => backend.put(name, { type: 'bytes', bytes }, {}, never))
  // No lost reply has led to a second file.
  for (const name of wanted.keys()) expect(server.named(name.split('/').at(-1) ?? '').filter(({ content }) => content), name).toHaveLength(1)
  expect(await names(backend, 'some/')).toEqual([...wanted.keys()].sort())
  await side(async (name, bytes) => { expect(Buffer.compare(await backend.get(name, 'all', never), bytes), name).toBe(0) })
  await side((name) => backend.remove(name, never))
  expect(await names(backend, 'some/')).toEqual([])
  for (const [index, count] of faulty.happened.entries()) expect(count, `rule ${index} struck`).toBeGreaterThan(0)
})
