import { ESLint, Linter } from 'eslint'
import svelte from 'eslint-plugin-svelte'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import tseslint from 'typescript-eslint'
import { array, object, parse, string } from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { layerRule } from '../../../build/lint/layer-rule.js'
import { layerOf, layers, mayImport } from '../../../build/lint/layers.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const names = Object.keys(layers)
const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => ({ from, to })))

test('the table says what ARCHITECTURE.md draws', () => {
  const allowed = pairs.filter(({ from, to }) => mayImport(from, to, false)).map(({ from, to }) => `${from} → ${to}`)
  for (const edge of ['renderer → main/api', 'main/api → engine/protocol', 'main → engine/protocol', 'engine/base → engine/protocol',
    'engine/commands → engine/pipeline', 'engine/catalog → engine/repository', 'engine/repository → engine/backend']) {
    expect(allowed).toContain(edge)
  }
  for (const edge of ['renderer → main', 'main → engine', 'engine/protocol → engine/base', 'engine/backend → engine/repository', 'engine/backend/http → engine/backend/s3', 'engine/backend/s3 → engine/backend/local', 'engine/backend/s3 → engine/backend/wrappers',
    'engine/snapshot → engine/backend', 'engine/pipeline → engine/catalog', 'engine/source → engine/catalog', 'engine → main',
    'engine/repository → engine/catalog', 'main → renderer', 'build → engine', 'engine → test']) {
    expect(allowed).not.toContain(edge)
  }
  expect(mayImport('engine/pipeline', 'engine/catalog', true)).toBe(true)
  expect(layerOf('engine/cli.ts')).toBe('engine')
  expect(layerOf('engine/backend/s3/client.ts')).toBe('engine/backend/s3')
  expect(layerOf('engine/backend/wrappers/retry.ts')).toBe('engine/backend/wrappers')
})

describe('the ESLint rule', () => {
  const linter = new Linter({ cwd: root })
  const plugin = { plugins: { holdfast: { rules: { layers: layerRule } } }, rules: { 'holdfast/layers': 'error' } } as const

  /** Lints one module and returns the rules it breaks. */
  const broken = (path: string, text: string): readonly (string | null)[] => {
    const parser = path.endsWith('.svelte')
      ? [...svelte.configs.base, { files: ['**/*.svelte'], languageOptions: { parserOptions: { parser: tseslint.parser } } }]
      : [{ files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } }]
    return linter.verify(text, [...(parser), plugin as Linter.Config], { filename: join(root, path) }).map((one) => one.ruleId)
  }

  test.each(pairs)('judges $from → $to as the table does', ({ from, to }) => {
    const up = '../'.repeat(from.split('/').length)
    expect(broken(`${from}/a.ts`, `import { b } from '${up}${to}/b.ts'; b()`).length).toBe(mayImport(from, to, false) ? 0 : 1)
    expect(broken(`${from}/a.ts`, `import type { B } from '${up}${to}/b.ts'; let b: B`).length).toBe(mayImport(from, to, true) ? 0 : 1)
  })

  test.each([
    `import type { Tray } from '../../main/tray/tray.ts'; let tray: Tray`,
    `export type { Tray } from '../../main/tray/tray.ts'`,
    `let tray: import('../../main/tray/tray.ts').Tray`,
    `await import('../../main/tray/tray.ts')`,
  ])('sees %s, in TypeScript and in Svelte', (text) => {
    expect(broken('renderer/views/a.ts', text)).toEqual(['holdfast/layers'])
    const script = text.replace('export type', 'import type').replace('await import', 'void import')
    expect(broken('renderer/views/A.svelte', `<script lang="ts">\n${script}\n</script>\n`)).toContain('holdfast/layers')
  })
})

test('electron is for main, ipcMain for main/api', async () => {
  const config = new ESLint({ cwd: root, overrideConfigFile: join(root, 'build/lint/eslint.config.js') })
  const linter = new Linter({ cwd: root })
  const broken = async (path: string, text: string): Promise<boolean> => {
    const found = (await config.calculateConfigForFile(join(root, path))) as Linter.Config
    const rule = found.rules?.['no-restricted-imports']
    const only: Linter.Config = { files: ['**/*.ts', '**/*.svelte'], rules: rule ? { 'no-restricted-imports': rule } : {} }
    return linter.verify(text, [only], { filename: join(root, path) }).length > 0
  }
  expect(await broken('engine/engine.ts', `import { app } from 'electron'`)).toBe(true)
  expect(await broken('renderer/state/a.ts', `import { app } from 'electron'`)).toBe(true)
  expect(await broken('renderer/App.svelte', `import { app } from 'electron'`)).toBe(true)
  expect(await broken('main/tray/tray.ts', `import { Tray } from 'electron'`)).toBe(false)
  expect(await broken('main/tray/tray.ts', `import { ipcMain } from 'electron'`)).toBe(true)
  expect(await broken('main/api/handle.ts', `import { ipcMain } from 'electron'`)).toBe(false)
})

describe('dependency-cruiser', () => {
  const report = object({ summary: object({ violations: array(object({ from: string(), to: string(), rule: object({ name: string() }) })) }) })
  let folder = ''
  let violations: readonly string[] = []

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-layers-'))
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    write('tsconfig.json', '{ "compilerOptions": { "module": "nodenext", "allowImportingTsExtensions": true, "noEmit": true } }')
    write('package.json', '{ "type": "module" }')
    for (const name of names) write(`${name}/b.ts`, 'export const b = 1\nexport type B = 1\n')
    pairs.forEach(({ from, to }, at) => {
      const up = '../'.repeat(from.split('/').length)
      write(`${from}/value${at}.ts`, `import { b } from '${up}${to}/b.ts'\nexport const c = b\n`)
      write(`${from}/type${at}.ts`, `import type { B } from '${up}${to}/b.ts'\nexport type C = B\n`)
    })
    write('engine/ring1.ts', `import { two } from './ring2.ts'\nexport const one = (): unknown => two\n`)
    write('engine/ring2.ts', `import { one } from './ring1.ts'\nexport const two = (): unknown => one\n`)
    const words = ['--config', join(root, 'build/lint/dependency-cruiser.cjs'), '--output-type', 'json', 'main', 'renderer', 'engine', 'build', 'test']
    const text = cruise(words, folder)
    violations = parse(report, JSON.parse(text)).summary.violations.map(({ from, to, rule }) => `${from} → ${to}: ${rule.name}`)
  }, 60_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('finds exactly what the table forbids', () => {
    const expected = pairs.flatMap(({ from, to }, at) => {
      const kinds = [...(mayImport(from, to, false) ? [] : ['value']), ...(mayImport(from, to, true) ? [] : ['type'])]
      return kinds.map((kind) => `${from}/${kind}${at}.ts → ${to}/b.ts`)
    })
    const found = violations.filter((one) => one.includes(' must not import ')).map((one) => one.replace(/: .*/, ''))
    expect(found.toSorted()).toEqual(expected.toSorted())
  })

  test('finds cycles', () => {
    expect(violations.some((one) => one.endsWith('no cycles'))).toBe(true)
  })
})

/** Runs dependency-cruiser, which ends with the number of violations as its exit code. */
function cruise(words: readonly string[], cwd: string): string {
  try {
    return execFileSync(join(root, 'node_modules/.bin/depcruise'), words, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  } catch (error) {
    return parse(object({ stdout: string() }), error).stdout
  }
}
