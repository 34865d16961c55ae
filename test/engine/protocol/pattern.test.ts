import ignore from 'ignore'
import { describe, expect, test } from 'vitest'
import { patternProblem } from '../../../engine/protocol/pattern.ts'

describe('an exclude pattern', () => {
  test.each(['*.tmp', '/build', 'build/', '!keep.tmp', 'docs/**/draft', '**', '*', '.cache/', '~$*', '*~', '\\#x', 'a\\ ', 'foo\\[1]', '[a-z]*', '[!a]', '[]]', 'Prügel*', '$RECYCLE.BIN/', '..x', '...', 'a b', 'x\\\\'])('%j is taken', (pattern) => {
    expect(patternProblem(pattern)).toBeUndefined()
  })

  test.each(['', '  ', 'a\tb', 'a\r', 'a\0', '#recycle', 'C:\\x', 'C:/x', '\\\\server\\share', 'foo\\bar', 'x\\', 'foo ', './x', '!./x', '../x', 'a/../b', 'a/./b', '..', '~/x', '~user/x', '/', '.', '!', '!/', 'foo[abc', '[z-a]', 'x'.repeat(4097)])('%j is refused', (pattern) => {
    expect(patternProblem(pattern)).toMatchObject({ level: 'error' })
  })

  test.each([' x', '*.{jpg,png}'])('%j is taken with a warning', (pattern) => {
    expect(patternProblem(pattern)).toMatchObject({ level: 'warning' })
  })

  test('that is refused as one that matches nothing really does not match what was meant', () => {
    for (const [pattern, path] of [['#recycle', '#recycle'], ['./x', 'x'], ['../x', 'x'], ['~/x', 'x'], ['foo\\bar', 'foo/bar'], ['foo[abc', 'foo[abc']] as const) {
      expect([pattern, ignore({ allowRelativePaths: true }).add([pattern]).ignores(path)]).toEqual([pattern, false])
    }
  })
})
