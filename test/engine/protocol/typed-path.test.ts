import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readTypedPath } from '../../../engine/protocol/typed-path.ts'

describe('a typed path', () => {
  test.each(['/a/b', 'a/b', './a:b', './~x', '/a/b:c', 'a b', '../x', '.', '/', 'caf\u00e9', './s3:x', '$', 'a~', 'filename.txt', 'files/x', 's3', 'b2/x'])('%j is taken as it is', (text) => {
    expect(readTypedPath(text)).toEqual({ type: 'path', path: text })
  })

  test.each([['~', ''], ['~/', ''], ['~/repo', 'repo'], ['~//repo/x', 'repo/x']])('%j is in the own home', (text, rest) => {
    expect(readTypedPath(text)).toEqual({ type: 'home', rest })
  })

  test.each([
    ['', 'empty'], [' ', 'empty'], ['\t', 'empty'], ['a\0b', 'control'], ['/a\r', 'control'], ['/a\n', 'control'], [' /a', 'blank'], ['/a ', 'blank'],
    ['~user', 'user'], ['~user/x', 'user'], ['$HOME/x', 'variable'], ['${HOME}/x', 'variable'], ['%USERPROFILE%\\x', 'variable'],
    ['C:\\x', 'windows'], ['C:/x', 'windows'], ['c:', 'windows'], ['\\\\server\\share', 'windows'],
    ['s3:https://host/b', 'address'], ['s3:bucket', 'address'], ['s3//bucket', 'address'], ['S3://bucket', 'address'], ['s3://bucket', 'address'],
    ['sftp:user@host:/x', 'address'], ['b2:bucket:x', 'address'], ['user@host:/x', 'address'], ['host:x', 'address'], ['rclone:remote:path', 'address'],
    ['rest:http://host', 'address'], ['swift:c:/p', 'address'], ['azure:c:/', 'address'], ['gs:b:/', 'address'], ['webdav://h', 'address'], ['dav:x', 'address'],
    ['ftp://h', 'address'], ['smb://h/s', 'address'], ['file:///x', 'address'], ['file://host/x', 'address'], ['file:x', 'address'], ['file//x', 'address'],
    ['https://h', 'address'], ['[::1]:/x', 'address'], ['a:b', 'address'], ['gdrive:x', 'address'],
  ] as const)('%j is refused as %s, with a way out', (text, reason) => {
    expect(readTypedPath(text)).toMatchObject({ type: 'wrong', reason, words: expect.stringMatching(/\S/) as string })
  })

  test('of Windows is one on Windows only', () => {
    for (const path of ['C:\\x', 'c:/x', '\\\\server\\share']) expect(readTypedPath(path, true)).toEqual({ type: 'path', path })
    expect(readTypedPath('~\\x', true)).toEqual({ type: 'home', rest: 'x' })
    expect(readTypedPath('s3:x', true)).toMatchObject({ type: 'wrong' })
  })

  test('with ./ in front is always taken, unless it cannot be a name or ends in what nobody sees', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const path = `./${text}/`
      expect(readTypedPath(path).type).toBe(/\p{Cc}/u.test(text) ? 'wrong' : 'path')
    }))
  })
})
