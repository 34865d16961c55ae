// @ts-check
import eslint from '@eslint/js'
import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import tseslint from 'typescript-eslint'
import { descriptorRule } from './descriptor-rule.js'
import { layerRule } from './layer-rule.js'

const typescript = ['**/*.ts']
const withSvelte = ['**/*.svelte', '**/*.svelte.ts']
const electron = { name: 'electron', message: 'Only main/ may import electron.' }
/** What node:fs has that no path goes into. */
const ofDescriptors = ['closeSync', 'constants', 'fstatSync', 'ftruncateSync', 'readSync', 'writeSync', 'BigIntStats']
const project = { projectService: true, extraFileExtensions: ['.svelte'] }

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'dist-*/', 'release/', 'artifacts/', 'coverage/', 'main/text/compiled/'] },
  eslint.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: [...typescript, ...withSvelte] })),
  // After TypeScript's own, whose parser must not be the one of .svelte files.
  ...svelte.configs.recommended,
  {
    plugins: { holdfast: { rules: { layers: layerRule, descriptors: descriptorRule } }, '@typescript-eslint': tseslint.plugin },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'holdfast/layers': 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      eqeqeq: ['error', 'always'],
      'no-var': 'error',
      'prefer-const': 'error',
      'no-console': 'error',
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'] }],
      'no-undef': 'off',
    },
  },
  { files: typescript, languageOptions: { parserOptions: project } },
  {
    files: withSvelte,
    languageOptions: { globals: globals.browser, parserOptions: { ...project, parser: tseslint.parser } },
  },
  {
    files: [...typescript, ...withSvelte],
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/require-await': 'off',
      // Behind `using`, a promise that is not waited for outlives what it works on.
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
    },
  },
  // A prop that is bound is assigned without this rule seeing it.
  { files: withSvelte, rules: { 'prefer-const': 'off', 'svelte/prefer-const': 'error' } },
  // typescript-eslint cannot see the types of .svelte imports and takes them for `any`; svelte-check sees them.
  {
    files: ['**/*.svelte'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  // Electron: only main/ imports it (the runtime finder and the tests start it as a program), ipcMain only main/api.
  ...imports(['**/*'], ['main/**', 'build/runtime/**', 'test/**/*.cjs'], electron),
  ...imports(['main/**'], ['main/api/**'], { name: 'electron', importNames: ['ipcMain'], message: 'ipcMain belongs to main/api.' }),
  // Folders of others' making: what is done there goes by descriptor.
  { files: ['engine/backend/local/**'], rules: { 'holdfast/descriptors': 'error' } },
  { files: ['engine/target/**', 'engine/commands/restore/**'], ignores: ['engine/target/path-calls.ts'], rules: { 'holdfast/descriptors': 'error' } },
  // A restore names entries by exact bytes in an open folder; only these files know of paths, so that none is ever spelled in another way.
  {
    files: ['engine/target/**', 'engine/commands/restore/**'],
    ignores: ['engine/target/{foreign,path}-calls.ts', 'engine/commands/restore/{target,completion}.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [electron, { name: 'node:fs', allowImportNames: ofDescriptors, message: 'Calls by path belong to SystemCalls.' }] }] },
  },
  // Programs people read the output of, and tests, may be long or print.
  { files: ['engine/cli.ts', 'build/**', 'test/**'], rules: { 'no-console': 'off' } },
  { files: ['test/**'], rules: { 'max-lines-per-function': 'off' } },
  { files: ['build/lint/*.js', 'build/lint/*.cjs', '**/*.cjs'], languageOptions: { globals: globals.node } },
)

/**
 * One no-restricted-imports block for `files` without `except`.
 * @param {string[]} files
 * @param {string[]} except
 * @param {{ name: string, importNames?: string[], message: string }} path
 */
function imports(files, except, path) {
  const rule = /** @type {const} */ (['error', { paths: [path] }])
  return [{ files, ignores: except, rules: { 'no-restricted-imports': [...rule] } }]
}
