import { randomUUID } from 'node:crypto'
import { openMemory } from '../../../../engine/backend/memory/memory.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

backendContract('memory', async () => {
  const name = randomUUID()
  return { open: async () => openMemory(name), async [Symbol.asyncDispose]() { /* ends with the process */ } }
})
