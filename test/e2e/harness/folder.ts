import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of the test's own, gone afterwards. */
export interface TestFolder extends Disposable {
  path(name: string): string
  /** The same, and the folder exists. */
  made(name: string): string
}

export function freshFolder(): TestFolder {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-e2e-data-'))
  const path = (name: string): string => join(root, name)
  return {
    path,
    made(name) {
      mkdirSync(path(name), { recursive: true })
      return path(name)
    },
    [Symbol.dispose]: () => { rmSync(root, { recursive: true, force: true }) },
  }
}
