import { ESLint, Linter } from 'eslint'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import tseslint from 'typescript-eslint'
import { expect, test } from 'vitest'
import { descriptorRule } from '../../../build/lint/descriptor-rule.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const linter = new Linter({ cwd: root })

/** How often a module breaks the rule. */
function broken(text: string): number {
  const config: Linter.Config[] = [
    { files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } },
    { plugins: { holdfast: { rules: { descriptors: descriptorRule } } }, rules: { 'holdfast/descriptors': 'error' } },
  ]
  const found = linter.verify(text, config, { filename: join(root, 'engine/backend/local/a.ts') })
  expect(found.filter(({ ruleId }) => ruleId !== 'holdfast/descriptors')).toEqual([])
  return found.length
}

const calls = ['rm', 'rmdir', 'cp', 'chmod', 'lchmod', 'chown', 'lchown', 'utimes', 'lutimes', 'truncate']

test.each(calls)('%s by path is reported, from every module and under every name', (name) => {
  expect(broken(`import { ${name} } from 'node:fs/promises'\nawait ${name}('x')`)).toBe(1)
  expect(broken(`import { open, ${name} as other } from 'fs/promises'\nawait other('x')`)).toBe(1)
  expect(broken(`import { ${name}Sync } from 'node:fs'\n${name}Sync('x')`)).toBe(1)
  expect(broken(`import { ${name}, ${name}Sync } from 'fs'\n${name}Sync('x')`)).toBe(2)
  expect(broken(`export { ${name}Sync } from 'node:fs'`)).toBe(1)
})

test.each([
  `import * as fs from 'node:fs'\nfs.rmSync('x')`,
  `import fs from 'node:fs/promises'\nawait fs.rm('x')`,
  `import { promises } from 'node:fs'\nawait promises.rm('x')`,
  `import { default as fs } from 'node:fs'\nfs.rmSync('x')`,
  `import fs = require('node:fs')\nfs.rmSync('x')`,
  `const { rm } = await import('node:fs/promises')\nawait rm('x')`,
  `const { rmSync } = require('node:fs')`,
  `process.getBuiltinModule('fs').rmSync('x')`,
  `export * from 'node:fs'`,
])('what hides the calls is reported: %s', (text) => {
  expect(broken(text)).toBe(1)
})

test.each([
  `import { open, unlink, link, rename, lstat } from 'node:fs/promises'\nawait (await open('x')).chmod(0o600)`,
  `import { fchmodSync, ftruncateSync, futimesSync, fchownSync } from 'node:fs'`,
  `import type { Stats } from 'node:fs'`,
  `import { join } from 'node:path'\nconst rm = join('a')`,
])('what goes by descriptor or by name is not: %s', (text) => {
  expect(broken(text)).toBe(0)
})

test.each(['engine/backend/local/local.ts', 'engine/backend/local/deeper/a.ts'])('%s is under the rule', async (path) => {
  const eslint = new ESLint({ cwd: root, overrideConfigFile: join(root, 'build/lint/eslint.config.js') })
  const { rules } = (await eslint.calculateConfigForFile(join(root, path))) as Linter.Config
  expect(rules?.['holdfast/descriptors']).toEqual([2])
})
