import { expect, test } from 'vitest'
import { isReadableOnTheWay } from '../../../engine/protocol/plain-http.ts'

test.each([
  ['http://s3.example.com', true], ['http://192.168.1.5:9000', true], ['http://[2001:db8::1]', true], ['http://127.example.com', true], ['http://localhost.example.com', true],
  ['https://s3.example.com', false], ['http://localhost:9000', false], ['http://a.localhost', false], ['http://127.0.0.1:9000', false], ['http://127.9.9.9', false],
  ['http://[::1]:9000', false], ['http://0x7f.1', false], ['', false], ['s3.example.com', false],
])('%s: %s', (address, wanted) => {
  expect(isReadableOnTheWay(address)).toBe(wanted)
})
