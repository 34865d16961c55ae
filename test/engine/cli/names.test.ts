import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromBytes, toShown } from '../../../engine/base/byte-string.ts'
import { testFolder, type TestFolder } from '../small-repository.ts'
import { callCli } from './in-process.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Names that no argument can carry as they are, and names that look like what is printed for others. */
const odd = ['caf\xe9.txt', 'caf\\xe9.txt', 'new\nline', 'a\\\\b', '\\u202e', '\xff\xfe', ' both ends ', '-x', 'a:b'].map(bytes)

async function backedUp(folder: TestFolder): Promise<string> {
  const source = join(folder.path, 'source')
  mkdirSync(source)
  for (const name of odd) writeFileSync(Buffer.concat([Buffer.from(`${source}/`), name]), name)
  expect((await callCli(['backup', source, '--job', 'job'], { folder })).code).toBe(0)
  return source
}

const filesIn = (path: string): string[] => readdirSync(path, 'latin1').toSorted()

it('what ls prints is taken by --path, one by one and as a list', async () => {
  await using folder = await testFolder()
  const source = await backedUp(folder)
  const { events } = await callCli(['ls', 'latest', 'source', '--json'], { folder })
  const shown = events.filter(({ type }) => type === 'entry').map(({ name }) => String(name))
  expect(shown).toHaveLength(odd.length)
  const out = join(folder.path, 'out')
  const one = await callCli(['restore', 'latest', '--to', out, ...shown.flatMap((name) => ['--path', `source/${name}`])], { folder })
  expect([one.code, filesIn(join(out, 'source'))]).toEqual([0, filesIn(source)])
  writeFileSync(join(folder.path, 'list'), `\ufeff${shown.map((name) => `source/${name}\r\n`).join('')}`)
  const listed = join(folder.path, 'listed')
  expect((await callCli(['restore', 'latest', '--to', listed, '--files-from', join(folder.path, 'list')], { folder })).code).toBe(0)
  expect(filesIn(join(listed, 'source'))).toEqual(filesIn(source))
}, 60_000)

it('exact names are taken from a list with zero bytes, by backup and by restore', async () => {
  await using folder = await testFolder()
  const source = await backedUp(folder)
  const list = join(folder.path, 'list')
  writeFileSync(list, execFileSync('find', [source, '-type', 'f', '-print0']))
  expect((await callCli(['backup', '--job', 'single', '--files-from0', list], { folder })).code).toBe(0)
  writeFileSync(list, Buffer.concat(odd.flatMap((name) => [name, bytes('\0')])))
  const out = join(folder.path, 'out')
  expect((await callCli(['restore', 'latest:single', '--to', out, '--files-from0', list], { folder })).code).toBe(0)
  expect(filesIn(out)).toEqual(filesIn(source))
}, 60_000)

it('a source is named as it is printed, as it is, and by lines of a list', async () => {
  await using folder = await testFolder()
  const source = await backedUp(folder)
  for (const name of ['caf\\xe9.txt', 'a:b']) expect((await callCli(['backup', `${source}/${name}`, '--job', 'one'], { folder })).code).toBeLessThan(2)
  writeFileSync(join(folder.path, 'list'), Buffer.concat([Buffer.from(`${source}/`), bytes('\xff\xfe\n'), Buffer.from(`${source}/new\\x0aline\n`)]))
  expect((await callCli(['backup', '--job', 'two', '--files-from', join(folder.path, 'list')], { folder })).code).toBe(0)
  const { events } = await callCli(['ls', 'latest:two', '--json'], { folder })
  expect(events.filter(({ type }) => type === 'entry').map(({ name }) => name).toSorted()).toEqual(['\\xff\\xfe', 'new\\x0aline'].toSorted())
}, 60_000)

it('whatever is printed holds on one line', () => {
  fc.assert(fc.property(fc.uint8Array(), (name) => { expect(toShown(fromBytes(name))).not.toMatch(/[\r\n\0]/) }))
})
