import { expect, test } from 'vitest'
import { failureLines, type FileResult } from '../../../build/scripts/failure-lines.ts'

const file = (more: Partial<FileResult>): FileResult => ({ name: '/p/test/a.test.ts', status: 'passed', message: '', assertionResults: [], ...more })
const failed = (fullName: string, ...failureMessages: string[]) => ({ fullName, status: 'failed', failureMessages })

test('each test that failed is named with its file and the beginning of why, without colours and stacks', () => {
  const files = [
    file({ assertionResults: [{ fullName: 'is fine', status: 'passed', failureMessages: [] }] }),
    file({ name: '/p/test/b.test.ts', status: 'failed', assertionResults: [failed('adds up', '\u001B[31mError: 1\u001B[39m\n  is not 2\n    at /p/test/b.test.ts:1:1'), failed('and up')] }),
  ]
  expect(failureLines('fast', files, '/p')).toEqual(['✗ fast: test/b.test.ts › adds up\n  Error: 1 is not 2', '✗ fast: test/b.test.ts › and up\n  '])
})

test('a file that did not load is named', () => {
  expect(failureLines('e2e', [file({ status: 'failed', message: 'SyntaxError: no' })], '/p')).toEqual(['✗ e2e: test/a.test.ts\n  SyntaxError: no'])
})

test('an assertion about a whole log is cut', () => {
  const [line = ''] = failureLines('e2e', [file({ status: 'failed', assertionResults: [failed('a', `expected ${'x'.repeat(1e6)}`)] })], '/p')
  expect(line.length).toBeLessThan(500)
})

test('a failure outside of all files is told too', () => {
  expect(failureLines('faults', [file({})], '/p')).toEqual(['✗ faults: something failed outside of the tests; see the output above'])
})
