import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initCheaply } from '../fixtures/cheap-repository.ts'

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
  await initCheaply(repository, password)
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
