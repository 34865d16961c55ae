import { readdirSync, readFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const allowed = ['LICENSE', 'README.md', 'build', 'engine', 'main', 'package-lock.json', 'package.json', 'renderer', 'test', 'tsconfig.json']

test('the top level of the project holds what it is meant to and what git passes over, and nothing that a test has left there', () => {
  const ignored = readFileSync(join(root, '.gitignore'), 'utf8').split('\n').map((line) => line.replaceAll('/', ''))
  expect(readdirSync(root).filter((name) => !name.startsWith('.') && !ignored.some((pattern) => matchesGlob(name, pattern))).sort()).toEqual(allowed)
})
