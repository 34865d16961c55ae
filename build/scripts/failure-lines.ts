import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

/** One file of vitest's report (its `json` reporter, the shape of Jest's). */
export interface FileResult {
  /** Absolute path. */
  readonly name: string
  readonly status: string
  /** Why the file as a whole failed; empty otherwise. */
  readonly message: string
  readonly assertionResults: readonly { readonly fullName: string; readonly status: string; readonly failureMessages: readonly string[] }[]
}

/** An assertion about a long log is as long as the log. */
const mostCharacters = 400

/** Names each test that failed, with the beginning of why; a run that failed outside of all tests says so. */
export function failureLines(project: string, files: readonly FileResult[], root: string): readonly string[] {
  const lines = files.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    if (failed.length === 0) return status === 'failed' ? [told(project, file, message)] : []
    return failed.map(({ fullName, failureMessages }) => told(project, `${file} › ${fullName}`, failureMessages.join(' ')))
  })
  return lines.length > 0 ? lines : [`✗ ${project}: something failed outside of the tests; see the output above`]
}

function told(project: string, what: string, why: string): string {
  const text = stripVTControlCharacters(why).split('\n    at ')[0] ?? ''
  return `✗ ${project}: ${what}\n  ${text.replace(/\s+/g, ' ').trim().slice(0, mostCharacters)}`
}
