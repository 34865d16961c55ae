import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { providers, writeAddress } from '../../../main/api/providers.ts'
import { readingOf } from '../../../main/visit/address.ts'
import { exampleValues } from '../../engine/protocol/providers/example-values.ts'

it.each(providers)('an address of $name is what its form holds', (provider) => {
  const values = exampleValues(provider)
  expect(readingOf(`  ${writeAddress(provider, values)}\n`)).toEqual({ type: 'provider', provider: provider.id, values })
})

it('a folder is told as people write it, and what is none is told without repeating it', () => {
  expect(readingOf(pathToFileURL('/mnt/Blue Disk/ünd').href)).toEqual({ type: 'folder', path: '/mnt/Blue Disk/ünd' })
  expect(readingOf('/mnt/100%')).toEqual({ type: 'folder', path: '/mnt/100%' })
  expect(readingOf('D:\\backup')).toEqual({ type: 'folder', path: 'D:\\backup' })
  expect(readingOf('s3://bucket?secret=hunter2')).toMatchObject({ type: 'wrong' })
  expect(JSON.stringify(readingOf('s3://bucket?secret=hunter2'))).not.toContain('hunter2')
  for (const text of ['', 'gopher://x', 'my disk']) expect(readingOf(text)).toEqual({ type: 'unknown' })
})
