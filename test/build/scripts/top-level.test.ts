import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const allowed = ['LICENSE', 'README.md', 'build', 'engine', 'main', 'package-lock.json', 'package.json', 'renderer', 'test', 'tsconfig.json']

test('the top level of the project holds what it is meant to, and nothing that a test has left there', () => {
  expect([...new Set(topLevel())].filter((name) => !name.startsWith('.')).sort()).toEqual(allowed)
})

/** What git keeps; of an export without git, what is there and would be kept. */
function topLevel(): string[] {
  try {
    const kept = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, stdio: ['ignore', 'pipe', 'ignore'] })
    return kept.split('\0').flatMap((path) => path.split('/')[0] || [])
  } catch {
    const ignored = readFileSync(join(root, '.gitignore'), 'utf8').split('\n').map((line) => line.replaceAll('/', ''))
    return readdirSync(root).filter((name) => !ignored.some((pattern) => matchesGlob(name, pattern)))
  }
}
