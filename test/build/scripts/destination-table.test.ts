import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { withDestinations } from '../../../build/scripts/destination-table.ts'
import { root } from '../../../build/scripts/root.ts'
import { providers } from '../../../engine/protocol/providers/registry.ts'

const readme = readFileSync(`${root}/README.md`, 'utf8')

test('the README has every destination as its description is now (npm run readme)', () => {
  expect(withDestinations(readme, providers)).toBe(readme)
})

test.each(providers)('the README says how $id is addressed and where its keys come from', ({ name, example, secrets, signIn }) => {
  const row = readme.split('\n').find((line) => line.startsWith(`| **${name}**`)) ?? ''
  for (const part of [example, ...secrets.flatMap(({ variables }) => variables), ...(signIn ? [`login ${signIn}`] : [])]) expect(row).toContain(part)
})

test('a document without a place for it is not changed', () => {
  expect(() => withDestinations('nothing', providers)).toThrow('no place')
})
