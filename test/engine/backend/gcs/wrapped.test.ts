import { afterAll, expect } from 'vitest'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import type { FaultyBackend } from '../../../../engine/backend/wrappers/faulty/faulty.ts'
import { GcsServer } from '../../../servers/gcs.ts'
import { backendContract } from '../../../suites/backend-contract.ts'
import { makeUnreliable, throughFaults } from '../google/unreliable.ts'

const all: FaultyBackend[] = []

backendContract('retry and limits over a Cloud Storage that fails', async () => {
  const server = await GcsServer.start()
  makeUnreliable(server)
  return {
    async open() {
      const { backend, faulty } = throughFaults(await openBackend('gs://holdfast-test', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: new AbortController().signal, service: server.origin }))
      all.push(faulty)
      return backend
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})

afterAll(() => {
  for (const index of [0, 1, 2, 3]) expect(all.some(({ happened }) => (happened[index] ?? 0) > 0), `rule ${index} struck`).toBe(true)
})
