import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocal } from '../../../../engine/backend/local/local.ts'
import { backendContract, type ContractStorage } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

async function folderStorage(hardLinks: boolean): Promise<ContractStorage> {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-local-'))
  return {
    open: () => openLocal(root, { hardLinks }, never),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  }
}

backendContract('local folder', () => folderStorage(true))
backendContract('local folder without hard links', () => folderStorage(false))
