import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

backendContract('rclone (its local storage)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast rclone é-'))
  return {
    open: () => openBackend(`rclone::local:${folder}/répo 1`, { credentials: fixedCredentials({}), signal: never }),
    async [Symbol.asyncDispose]() { rmSync(folder, { recursive: true }) },
  }
})
