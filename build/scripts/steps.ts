import { spawn } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { array, number, object, optional, safeParse, string, type InferOutput } from 'valibot'
import { failureLines } from './failure-lines.ts'
import { root } from './root.ts'

/** What steps and runs of vitest counted. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  /** What failed, a few short lines each. */
  readonly failures: readonly string[]
}

/** A program with its words, run in the project's folder. */
export type Command = readonly [program: string, ...words: readonly string[]]

const report = object({
  numPassedTests: number(),
  numFailedTests: number(),
  numFailedTestSuites: number(),
  testResults: array(object({
    name: string(),
    status: string(),
    message: optional(string(), ''),
    assertionResults: array(object({ fullName: string(), status: string(), failureMessages: optional(array(string()), []) })),
  })),
})

/** The sum of several. */
export function sum(counts: readonly Counts[]): Counts {
  return counts.reduce((all, one) => ({ passed: all.passed + one.passed, failed: all.failed + one.failed, failures: [...all.failures, ...one.failures] }), { passed: 0, failed: 0, failures: [] })
}

/** What failed, once more, and then the line that closes every run: whoever sees only the end of a long output sees what to look at. */
export function printSum({ passed, failed, failures }: Counts): void {
  for (const line of failures) console.log(line)
  console.log(`${passed} passed, ${failed} failed`)
}

/** Runs a command with its output shown under a heading. Resolves with whether it succeeded; never rejects. */
export async function step(name: string, command: Command, env: NodeJS.ProcessEnv = {}): Promise<boolean> {
  const started = performance.now()
  const { code, output } = await capture(command, env)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${code === 0 ? '✓' : '✗'} ${name} (${seconds} s)`)
  if (code !== 0) console.log(output.trimEnd())
  return code === 0
}

/**
 * Runs vitest on one group of tests, output shown as it comes, and counts. A run that breaks outside of any test (a file
 * that does not load, a runner that dies) counts as one failure more than what was counted.
 */
export async function vitest(project: string, prefix: readonly string[] = []): Promise<Counts> {
  const file = join(root, 'artifacts', `vitest-${project}.json`)
  await mkdir(join(root, 'artifacts'), { recursive: true })
  await rm(file, { force: true })
  const words = ['run', '--config', 'build/vite/vitest.config.ts', '--project', project]
  const [program = '', ...rest] = [...prefix, 'vitest', ...words]
  const code = await shown([program, ...rest], { HOLDFAST_TEST_REPORT: file })
  const counts = await readCounts(file)
  if (!counts) return { passed: 0, failed: 1, failures: [`✗ ${project}: vitest ended without a report (exit code ${code})`] }
  const failed = Math.max(counts.numFailedTests, counts.numFailedTestSuites > 0 || code !== 0 ? 1 : 0)
  return { passed: counts.numPassedTests, failed, failures: failed > 0 ? failureLines(project, counts.testResults, root) : [] }
}

async function readCounts(file: string): Promise<InferOutput<typeof report> | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const parsed = safeParse(report, JSON.parse(text))
  return parsed.success ? parsed.output : undefined
}

function capture([program, ...words]: Command, env: NodeJS.ProcessEnv): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, words, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (part: Buffer): void => void (output += part.toString())
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', (error) => resolve({ code: 127, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

function shown([program, ...words]: Command, env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, words, { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' })
    child.on('error', () => resolve(127))
    child.on('close', (code) => resolve(code ?? 1))
  })
}
