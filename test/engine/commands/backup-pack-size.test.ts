import { expect, test } from 'vitest'
import { packSize } from '../../../engine/commands/backup/machine.ts'

const gibibyte = 1024 ** 3
const mebibyte = 1024 ** 2

test('packs grow with the repository, from 16 to 64 MiB', () => {
  expect(packSize(0)).toBe(16 * mebibyte)
  expect(packSize(10 * gibibyte)).toBe(16 * mebibyte)
  expect(packSize(80 * gibibyte)).toBe(40 * mebibyte)
  expect(packSize(10_000 * gibibyte)).toBe(64 * mebibyte)
})
