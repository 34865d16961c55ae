import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocal, type LocalOptions } from '../../../../engine/backend/local/local.ts'
import { backendContract, type ContractStorage } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

async function folderStorage(options: LocalOptions): Promise<ContractStorage> {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-local-'))
  return {
    open: () => openLocal(root, options, never),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  }
}

backendContract('local folder', () => folderStorage({}))
backendContract('local folder without hard links', () => folderStorage({ hardLinks: false }))
backendContract('local folder where entries are not addressed by descriptor', () => folderStorage({ byDescriptor: false }))
