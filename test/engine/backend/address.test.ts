import { expect, test } from 'vitest'
import { parseAddress } from '../../../engine/backend/address.ts'
import { s3AddressOf } from '../../../engine/backend/s3/address.ts'
import { HoldfastError } from '../../../engine/base/errors.ts'

test.each([
  ['/backups/a b', { type: 'local', path: '/backups/a b' }],
  ['/backups/x/', { type: 'local', path: '/backups/x' }],
  ['file:///abs/p%20q', { type: 'local', path: '/abs/p q' }],
  ['memory:one', { type: 'memory', name: 'one' }],
])('%s', (url, address) => { expect(parseAddress(url)).toEqual(address) })

test.each([
  ['s3://bucket', { bucket: 'bucket', prefix: '', region: 'us-east-1', pathStyle: false }],
  ['s3://bucket/a/b?region=eu-central-1', { bucket: 'bucket', prefix: 'a/b/', region: 'eu-central-1', pathStyle: false }],
  ['s3://b.k-t/p/?endpoint=http://127.0.0.1:9&pathStyle=false', { bucket: 'b.k-t', prefix: 'p/', region: 'us-east-1', endpoint: 'http://127.0.0.1:9', pathStyle: false }],
  ['s3://bucket?partSize=5M', { bucket: 'bucket', prefix: '', region: 'us-east-1', pathStyle: false, partBytes: 5 * 1024 * 1024 }],
  ['s3://bucket/?endpoint=https%3A%2F%2Fhost', { bucket: 'bucket', prefix: '', region: 'us-east-1', endpoint: 'https://host', pathStyle: true }],
])('%s', (url, address) => {
  const parsed = parseAddress(url)
  if (parsed.type !== 'provider') throw new Error('no provider')
  expect(parsed.provider.id).toBe('s3')
  expect(s3AddressOf(parsed.values)).toEqual(address)
})

test('a relative path is made absolute', () => {
  expect(parseAddress('some/folder')).toEqual({ type: 'local', path: `${process.cwd()}/some/folder` })
})

test('settings of the faulty wrapper are parted from those of the address within', () => {
  const address = parseAddress('faulty+s3://bucket/p?endpoint=http://h:1&fault.seed=7&fault.rule=put,after&fault.rule=get,before&region=r-1')
  if (address.type !== 'faulty') throw new Error('not faulty')
  expect(address.inner).toMatchObject({ type: 'provider', values: { bucket: 'bucket', prefix: 'p', region: 'r-1', endpoint: 'http://h:1' } })
  expect([...address.faults]).toEqual([['seed', '7'], ['rule', 'put,after'], ['rule', 'get,before']])
  expect(parseAddress('faulty+/a/b?fault.seed=1')).toMatchObject({ inner: { type: 'local', path: '/a/b' } })
})

test.each([
  '', 'gopher://host/x', 's3:///x', 's3://Bucket_/x', 's3://key:geheim@bucket/x', 's3://bucket?endpoint=http://key:geheim@host', 's3://bucket?endpoint=geheim',
  's3://bucket?secret=geheim', 's3://bucket?endpoint=http://h/path', 's3://bucket?pathStyle=geheim', 's3://bucket/a/..%2fb', 's3://bucket/%E0%A4%A', 'file://host/x',
  'file:///x?geheim=1', 's3://bucket?region=a%20b', 's3://bucket?endpoint=ftp://h',
  's3://bucket?partSize=4M', 's3://bucket?partSize=9999M', 's3://bucket?partSize=geheim', 's3://bucket?partSize=5', 'faulty+gopher://x',
])('%j is refused in words that repeat no secret', (url) => {
  let failure: unknown
  try {
    parseAddress(url)
  } catch (error) {
    failure = error
  }
  expect(failure).toBeInstanceOf(HoldfastError)
  expect(failure).toMatchObject({ code: 'arguments', message: expect.not.stringContaining('geheim') as string })
})
