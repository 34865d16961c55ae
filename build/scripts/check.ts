import { pathToFileURL } from 'node:url'
import { step, vitest, type Command, type Counts } from './steps.ts'

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
  const broken = await runAll([...others, ...types])
  const tests = await vitest('fast')
  return { passed: tests.passed, failed: tests.failed + broken }
}

/** Runs every step, two at a time, and resolves with how many failed. */
async function runAll(steps: typeof types): Promise<number> {
  const waiting = [...steps]
  let broken = 0
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) if (!(await step(...next))) broken++
  }
  await Promise.all([work(), work()])
  return broken
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv[2] === 'types') {
    process.exitCode = (await runAll(types)) > 0 ? 1 : 0
  } else {
    const counts = await check()
    console.log(`${counts.passed} passed, ${counts.failed} failed`)
    process.exitCode = counts.failed > 0 ? 1 : 0
  }
}
