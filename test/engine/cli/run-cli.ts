import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import * as v from 'valibot'
import { fileURLToPath } from 'node:url'
import { password } from '../small-repository.ts'
import type { TestFolder } from '../small-repository.ts'

const cli = fileURLToPath(new URL('../../../engine/cli.ts', import.meta.url))

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Lines of standard output as JSON, for `--json`. */
  readonly events: readonly Readonly<Record<string, unknown>>[]
}

export interface CliOptions {
  readonly folder?: TestFolder
  readonly environment?: NodeJS.ProcessEnv
  /** Called as soon as the process runs. */
  readonly onStart?: (child: ChildProcess) => void
  readonly onOutput?: (child: ChildProcess, text: string) => void
}

const eventSchema = v.record(v.string(), v.unknown())

/** Runs the command line as a child process under this Node. */
export async function runCli(args: readonly string[], { folder, environment, onStart, onOutput }: CliOptions = {}): Promise<CliResult> {
  const standard = folder ? { HOLDFAST_REPO: folder.repository, HOLDFAST_HOME: folder.home, HOLDFAST_PASSWORD: password } : {}
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...standard, ...environment } })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString()
    onOutput?.(child, stdout)
  })
  child.stderr.on('data', (data: Buffer) => { stderr += data.toString() })
  onStart?.(child)
  const code = await new Promise<number | null>((resolve) => { child.on('close', resolve) })
  const events = args.includes('--json') ? stdout.trim().split('\n').filter((line) => line !== '').map((line) => v.parse(eventSchema, JSON.parse(line))) : []
  return { code, stdout, stderr, events }
}
