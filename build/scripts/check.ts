import { pathToFileURL } from 'node:url'
import { makeMessages } from './messages.ts'
import { printSum, step, sum, vitest, type Command, type Counts } from './steps.ts'

const types: readonly (readonly [name: string, command: Command])[] = [
  ['types of the engine', ['tsc', '-p', 'engine']],
  ['types of main', ['tsc', '-p', 'main']],
  ['types of the window', ['svelte-check', '--tsconfig', './tsconfig.json', '--workspace', 'renderer', '--output', 'human']],
  ['types of the build', ['tsc', '-p', '.']],
  ['types of the tests', ['tsc', '-p', 'test']],
]
const others: typeof types = [
  ['lint', ['npm', 'run', '-s', 'lint']],
  ['layers', ['npm', 'run', '-s', 'layers']],
  ['dead code', ['npm', 'run', '-s', 'dead']],
]

/**
 * Types, lint, layers and dead code, two at a time, then the fast tests. Each static check that fails counts as one
 * failure, so that no failure can hide in the sum.
 */
export async function check(): Promise<Counts> {
  return sum([await runAll([...others, ...types]), await vitest('fast')])
}

/** Runs every step, two at a time, and counts those that failed. */
async function runAll(steps: typeof types): Promise<Counts> {
  try {
    await makeMessages()
  } catch (error) {
    return { passed: 0, failed: 1, failures: [`✗ messages: ${error instanceof Error ? error.message : String(error)}`] }
  }
  const waiting = [...steps]
  const failures: string[] = []
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) if (!(await step(...next))) failures.push(`✗ ${next[0]}`)
  }
  await Promise.all([work(), work()])
  return { passed: 0, failed: failures.length, failures }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv[2] === 'types') {
    process.exitCode = (await runAll(types)).failed > 0 ? 1 : 0
  } else {
    const counts = await check()
    printSum(counts)
    process.exitCode = counts.failed > 0 ? 1 : 0
  }
}
