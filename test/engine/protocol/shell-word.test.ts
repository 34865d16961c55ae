import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { heldLine } from '../../../engine/cli/held-text.ts'
import { shellWord } from '../../../engine/protocol/shell-word.ts'

/** What a shell takes the words of a command for. */
function readByShell(command: string): string[] {
  return execFileSync('sh', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' }).split('\0').slice(0, -1)
}

test.each(['photos', '', 'my photos', '$(touch /tmp/never)', '`id`', '"; id; "', "it's", '*', '~', '\\', 'é\n2', '!x', '#'])('%j is one word, and the shell runs nothing of it', (name) => {
  expect(readByShell(shellWord(name))).toEqual([name])
})

test('any text is one word', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && text.isWellFormed()), (text) => {
    expect(readByShell(shellWord(text))).toEqual([text])
  }), { numRuns: 60 })
})

test('the command that lets go what is held names job, host and repository as words of their own', () => {
  const line = heldLine({ job: '$(id)', host: "anna's \"desk\"", since: 'x@3', words: 'Much changed.' } as Parameters<typeof heldLine>[0], { side: 'source', repository: '/mnt/my disk' })
  expect(readByShell(line.slice(line.indexOf('holdfast ')))).toEqual(['holdfast', 'acknowledge', '$(id)', '--host', "anna's \"desk\"", '--repo', '/mnt/my disk'])
})
