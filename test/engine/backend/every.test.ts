import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { providers } from '../../../engine/protocol/providers/registry.ts'

const root = join(import.meta.dirname, '../../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const textsOf = (pattern: string): string => globSync(pattern, { cwd: root }).map(read).join('\n')

/** rclone takes a file whole or not at all; a folder takes it in a moment. */
const withoutResumption = ['rclone', 'local']

describe.each([...providers.map(({ id }) => id), 'local'])('%s', (id) => {
  test('keeps the contract of storages, and its interrupted uploads go on', () => {
    expect(read(`test/engine/backend/${id}/contract.test.ts`)).toContain('backendContract(')
    expect(textsOf(`test/engine/backend/${id}/*.test.ts`).includes('resumeContract('), 'resumption').toBe(!withoutResumption.includes(id))
  })

  test('bears a repository’s whole life', () => {
    expect(read(`test/faults/journey-${id}.test.ts`)).toContain('destinationJourney(')
  })
})
