import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { backUp } from '../commands/run-support.ts'
import { testFolder } from '../small-repository.ts'
import { runCli } from './run-cli.ts'

const files = 60

it('a check that finds much tells twenty findings and how many there are; --verbose and --json tell each once', async () => {
  await using folder = await testFolder()
  const source = join(folder.path, 'source')
  mkdirSync(source)
  for (let index = 0; index < files; index++) writeFileSync(join(source, `file-${index}`), `text ${index}`)
  await backUp(folder, source)
  const packs = join(folder.repository, 'packs')
  const paths = readdirSync(packs, { recursive: true, encoding: 'utf8' }).map((name) => join(packs, name)).filter((path) => statSync(path).isFile())
  // The trees stay: what is gone then are the contents of files. The third byte of a pack is its kind (FORMAT.md), 16 for data.
  for (const path of paths) if (readFileSync(path)[2] === 16) rmSync(path)
  const plain = await runCli(['check'], { folder })
  expect(plain.code).toBe(100)
  const warnings = plain.stderr.split('\n').filter((line) => line.startsWith('warning: '))
  expect(warnings).toHaveLength(21)
  expect(warnings.at(-1)).toBe('warning: there are more; --verbose shows all.')
  expect(plain.stdout).toContain(`affected count: ${files}`)
  const verbose = await runCli(['check', '--verbose'], { folder })
  expect(verbose.stderr.split('\n').filter((line) => line.includes('cannot be restored whole'))).toHaveLength(files)
  const { events } = await runCli(['check', '--json'], { folder })
  expect(events.filter(({ type, message }) => type === 'problem' && message === 'cannot be restored whole')).toHaveLength(files)
  expect(events.filter(({ type }) => type === 'log')).toEqual([])
}, 60_000)
