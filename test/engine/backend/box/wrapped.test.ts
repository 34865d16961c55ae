import { afterAll, expect } from 'vitest'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import type { FaultyBackend } from '../../../../engine/backend/wrappers/faulty/faulty.ts'
import { BoxServer } from '../../../servers/box.ts'
import { backendContract } from '../../../suites/backend-contract.ts'
import { throughFaults } from '../google/unreliable.ts'

const all: FaultyBackend[] = []

backendContract('retry and limits over a Box that fails', async () => {
  const server = await BoxServer.start()
  server.failNowAndThen()
  return {
    async open() {
      const { backend, faulty } = throughFaults(await openBackend('box:/Holdfast', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: new AbortController().signal, service: server.origin }))
      all.push(faulty)
      return backend
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})

afterAll(() => {
  for (const index of [0, 1, 2, 3]) expect(all.some(({ happened }) => (happened[index] ?? 0) > 0), `rule ${index} struck`).toBe(true)
})
