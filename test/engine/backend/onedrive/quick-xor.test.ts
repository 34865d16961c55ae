import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { QuickXorHash } from '../../../../engine/backend/onedrive/quick-xor.ts'
import { quickXor } from '../../../servers/onedrive.ts'

/** As rclone has them from OneDrive: https://github.com/rclone/rclone/blob/master/backend/onedrive/quickxorhash/quickxorhash_test.go */
const vectors: readonly (readonly [string, string])[] = [
  ['', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='], ['Sg==', 'SgAAAAAAAAAAAAAAAQAAAAAAAAA='], ['tbQ=', 'taAFAAAAAAAAAAAAAgAAAAAAAAA='],
  ['/aNzzCFPS/A=', '/RjFHJgRgicsAR4ACAAAAAAAAAA='], ['gQaybEqS/4UlDc8e4IJm', 'gDCALNigBEn8oxAlZ8AzPAAOQZg='], ['T6LYJIfDh81JrAK309H2JMJTXis=', 'zBTHrspn3mEcohlJdIUAbjGNaNg='],
  ['Mb7EGva2rEE5fENDL85P+BsapHEEjv2/siVhKjvAQe02feExVOQSkfmuYzU/kTF1MaKjPmKF/w+cbvwfdWL8aQ==', 'n1anP5NfvD4XDYWIeRPW3ZkPv1Y='],
  ['PfxMcUd0vIW6VbHG/uj/Y0W6qEoKmyBD0nYebEKazKaKG+UaDqBEcmQjbfQeVnVLuodMoPp7P7TR1htX5n2VnkHh22xDyoJ8C/ZQKiSNqQfXvh83judf4RVr9exJCud8Uvgip6aVZTaPrJHVjQhMCp/dEnGvqg0oN5OVkM2qqAXvA0teKUDhgNM71sDBVBCGXxNOR2bpbD1iM4dnuT0ey4L+loXEHTL0fqMeUcEi2asgImnlNakwenDzz0x57aBwyq3AspCFGB1ncX4yYCr/OaCcS5OKi/00WH+wNQU3', 'QX/YEpG0gDsmhEpCdWhsxDzsfVE='],
]

test.each(vectors)('the hash of %s is what OneDrive says', (bytes, hash) => {
  const input = Buffer.from(bytes, 'base64')
  const own = new QuickXorHash()
  own.update(input)
  expect(own.digest()).toBe(hash)
  expect(quickXor(input)).toBe(hash)
})

test('in pieces of any size it is the same as at once, and the same as a byte at a time', () => {
  const bytes = randomBytes(100_003)
  for (const step of [1, 7, 159, 160, 161, 4096, 65_536]) {
    const hash = new QuickXorHash()
    for (let at = 0; at < bytes.length; at += step) hash.update(bytes.subarray(at, at + step))
    expect(hash.digest(), `pieces of ${step}`).toBe(quickXor(bytes))
    // Where the bytes lie in memory is all the same.
    const elsewhere = new QuickXorHash()
    const moved = new Uint8Array(bytes.length + 3)
    moved.set(bytes, 3)
    for (let at = 3; at < moved.length; at += step) elsewhere.update(moved.subarray(at, at + step))
    expect(elsewhere.digest()).toBe(hash.digest())
  }
})
