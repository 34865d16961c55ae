import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodePassword, passwordProblem, stripInvisible } from '../../../engine/protocol/password.ts'

const utf16 = (text: string): Uint8Array => Buffer.from(`\ufeff${text}`, 'utf16le')
const utf16be = (text: string): Uint8Array => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()

describe('a password file', () => {
  test.each([
    ['plain', Buffer.from('hunter 2\n'), 'hunter 2'],
    ['without a line end', Buffer.from('hunter 2'), 'hunter 2'],
    ['of Windows', Buffer.from('hunter 2\r\n'), 'hunter 2'],
    ['with a mark', Buffer.from('\ufeffhunter 2\n'), 'hunter 2'],
    ['UTF-16', utf16('hünter 2\r\n'), 'hünter 2'],
    ['UTF-16, the other way round', utf16be('hünter 2\r\n'), 'hünter 2'],
    ['with notes below', Buffer.from('hunter 2\nurl: x\n'), 'hunter 2'],
    ['with blanks, which count', Buffer.from(' hunter 2 \n'), ' hunter 2 '],
  ])('%s', (_what, bytes, password) => { expect(decodePassword(bytes)).toEqual({ ok: true, password }) })

  test.each([
    ['nothing', Buffer.alloc(0), 'empty'],
    ['an empty first line', Buffer.from('\nhunter'), 'empty'],
    ['a mark alone', Buffer.from('\ufeff'), 'empty'],
    ['bytes that are no text', Buffer.from([0x68, 0xe9, 0x0a]), 'not-text'],
    ['half a character of UTF-16', Buffer.concat([utf16('ab'), Buffer.from([1])]), 'not-text'],
    ['UTF-16 without a mark', Buffer.from('hunter', 'utf16le'), 'control'],
    ['a zero byte', Buffer.from('hun\0ter'), 'control'],
    ['a tab', Buffer.from('hun\tter'), 'control'],
    ['a lone line separator', Buffer.from('hun\u2028ter'), 'control'],
    ['what replaces lost bytes', Buffer.from('hun\ufffdter'), 'not-text'],
    ['too much', Buffer.from('x'.repeat(4097)), 'long'],
  ])('with %s is refused', (_what, bytes, problem) => { expect(decodePassword(bytes)).toEqual({ ok: false, problem }) })
})

test('every way in takes the same password', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }), (password) => {
    const good = passwordProblem(password) === undefined
    for (const bytes of [Buffer.from(`${password}\r\n`), Buffer.from(`\ufeff${password}`), utf16(`${password}\n`), utf16be(password)]) {
      const decoded = decodePassword(bytes)
      if (good) expect(decoded).toEqual({ ok: true, password })
    }
    if (good) for (const text of [password, `${password}\r`, `${password}\n`, `\ufeff${password}\r\n`]) expect(stripInvisible(text)).toBe(password)
  }))
  expect(passwordProblem('a\ud800b')).toBe('not-text')
})
