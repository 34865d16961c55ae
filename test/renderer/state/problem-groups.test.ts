import fc from 'fast-check'
import ignore from 'ignore'
import { describe, expect, test } from 'vitest'
import type { Problem } from '../../../main/api/contract.ts'
import { groupsOf, patternFor } from '../../../renderer/state/problem-groups.ts'

const problem = (code: Problem['code'], path: string): Problem => ({ code, path, message: '' })
const home = [{ path: '/home/mia' }]

test('warnings are told by their cause, the most frequent first', () => {
  const groups = groupsOf([problem('vanished', '/a'), problem('unreadable', '/b'), problem('unreadable', '/c')])
  expect(groups.map(({ code, problems }) => [code, problems.map(({ path }) => path)])).toEqual([['unreadable', ['/b', '/c']], ['vanished', ['/a']]])
  expect(groupsOf([])).toEqual([])
})

describe('the pattern for a warning', () => {
  test('leaves out what it is about', () => {
    expect(patternFor(problem('unreadable', '/home/mia/Été à la mer/x [1].db'), home)).toBe(String.raw`/Été à la mer/x \[1\].db`)
    expect(patternFor(problem('changed', '/etc/x'), [{ path: '/' }])).toBe('/etc/x')
  })

  test('is none where it could mean something else', () => {
    expect(patternFor(problem('unreadable', '/home/mia/x'), [...home, { path: '/srv' }])).toBeUndefined()
    expect(patternFor(problem('unreadable', String.raw`/home/mia/caf\xe9`), home)).toBeUndefined()
    expect(patternFor(problem('unreadable', '/home/mia2/x'), home)).toBeUndefined()
    expect(patternFor(problem('source-missing', '/home/mia'), home)).toBeUndefined()
    expect(patternFor(problem('damaged', '/home/mia/x'), home)).toBeUndefined()
    expect(patternFor(problem('unreadable', '/home/mia'), home)).toBeUndefined()
  })

  test('means that path and none beside it, whatever is in its name', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'B', ' ', '*', '?', '[', ']', '!', '#', '-', '.', 'é', '(', '{', '$', '^', '+'), minLength: 1, maxLength: 8 }).filter((text) => !/^\.\.?$/.test(text))
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
    fc.assert(fc.property(path, path, (met, other) => {
      const pattern = patternFor(problem('unreadable', `/home/mia/${met}`), home)
      if (pattern === undefined) throw new Error('no pattern')
      const rules = ignore({ allowRelativePaths: true, ignoreCase: false }).add([{ pattern }])
      expect(rules.ignores(met), pattern).toBe(true)
      expect(rules.ignores(other), pattern).toBe(other === met || other.startsWith(`${met}/`))
    }), { numRuns: 2000 })
  })
})
