import { expect, test } from 'vitest'
import { EndGuard, PageGuard } from '../../../../engine/backend/http/pages.ts'

const liar = expect.objectContaining({ code: 'unsupported' }) as unknown

function attempt(work: () => void): unknown {
  try {
    work()
    return 'fine'
  } catch (error) {
    return error
  }
}

test.each([
  ['a name that was not asked for', ['b/x'], true], ['the same name again', ['a/x', 'a/x'], true], ['names without order', ['a/y', 'a/x'], true],
  ['names in order', ['a/x', 'a/y'], false],
])('%s', (_what, names, refused) => {
  const guard = new PageGuard('a/')
  const result = attempt(() => { for (const name of names) guard.name(name, true) })
  expect(result).toEqual(refused ? liar : 'fine')
})

test('order holds across pages', () => {
  const guard = new PageGuard('')
  guard.name('b', true)
  guard.page(undefined, '1', true)
  expect(attempt(() => { guard.name('a', true) })).toEqual(liar)
})

test('the order of strangers\' names is not judged, but that they were asked for is', () => {
  const guard = new PageGuard('a/')
  guard.name('a/\u{1f600}', false)
  guard.name('a/Z', false)
  expect(attempt(() => { guard.name('b/Z', false) })).toEqual(liar)
})

test.each([['the same token', 't', 't'], ['no token', 't', undefined]])('a list that goes on with %s', (_what, token, next) => {
  expect(attempt(() => { new PageGuard('').page(token, next, true) })).toEqual(liar)
})

test('199 pages without a name are borne, 200 in a row are not; a name begins the count anew', () => {
  const guard = new PageGuard('')
  let token = 0
  const empty = (pages: number): void => {
    for (let page = 0; page < pages; page++) guard.page(String(token), String(++token), true)
  }
  empty(199)
  guard.name('a', true)
  empty(200)
  expect(attempt(() => { empty(1) })).toEqual(liar)
})

test('the last page may be empty', () => {
  const guard = new PageGuard('')
  for (let token = 0; token < 199; token++) guard.page(String(token), String(token + 1), true)
  expect(attempt(() => { guard.page('199', undefined, false) })).toBe('fine')
})

test('names have an end', () => {
  const guard = new PageGuard('', 3)
  for (const name of ['a', 'b', 'c']) guard.name(name, true)
  expect(attempt(() => { guard.name('d', true) })).toEqual(liar)
})

test('a list in no order ends, too', () => {
  const fine = new EndGuard(5)
  fine.page(3, undefined, 'a')
  fine.page(0, 'a', 'b')
  fine.page(2, 'b', undefined)
  expect(attempt(() => { new EndGuard().page(1, 'a', 'a') })).toEqual(liar)
  expect(attempt(() => { fine.page(1, 'c', undefined) })).toEqual(liar)
  const empty = new EndGuard()
  expect(attempt(() => { for (let page = 0; page < 200; page++) empty.page(0, `${page}`, `${page + 1}`) })).toEqual(liar)
  expect(attempt(() => { new EndGuard().page(0, undefined, undefined) })).toBe('fine')
})
