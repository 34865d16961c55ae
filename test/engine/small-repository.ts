import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fixedCredentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import { systemClock } from '../../engine/base/clock.ts'
import { systemRandom } from '../../engine/repository/crypto.ts'
import { initRepository } from '../../engine/repository/repository.ts'

export const password = 'correct horse battery staple'

/** A folder for a test with `repository` (made, with a key that costs little to open) and `home` in it. */
export interface TestFolder extends AsyncDisposable {
  readonly path: string
  readonly repository: string
  readonly home: string
}

export async function testFolder(): Promise<TestFolder> {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  const repository = join(path, 'repository')
  const signal = new AbortController().signal
  await using backend = await openBackend(repository, { credentials: fixedCredentials({}), signal, create: true })
  await initRepository(backend, password, { arbiter: 'cas', clock: systemClock, random: systemRandom, cost: { N: 1024, r: 8, p: 1 } }, signal)
  return {
    path,
    repository,
    home: join(path, 'home'),
    [Symbol.asyncDispose]: () => {
      rmSync(path, { recursive: true, force: true })
      return Promise.resolve()
    },
  }
}
