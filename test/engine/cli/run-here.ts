import { CommanderError } from 'commander'
import { vi } from 'vitest'
import { createOutput, reportError } from '../../../engine/cli/execute.ts'
import { exitCodes } from '../../../engine/cli/exit-codes.ts'
import { StandardOutput } from '../../../engine/cli/output.ts'
import { buildProgram } from '../../../engine/cli/program.ts'

export interface HereResult {
  readonly code: number
  /** The last event: the summary or the error. */
  readonly last: Readonly<Record<string, unknown>>
  readonly output: string
}

/** Keeps what would be printed. */
export class KeptOutput extends StandardOutput {
  readonly lines: string[] = []

  override write(line: string): void {
    this.lines.push(line)
  }

  override json(value: unknown): void {
    this.lines.push(JSON.stringify(value))
  }
}

/** One for all: each listens on the streams of this process. */
const out = new KeptOutput()

/** Runs the command line in this process, as `engine/cli/main.ts` does with `--json`: for tests of many commands. */
export async function runHere(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<HereResult> {
  const { lines } = out
  lines.length = 0
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  let code: number = exitCodes.success
  try {
    await buildProgram(out, true, (result) => { code = result }).parseAsync([...args, '--json'], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) throw error
    code = reportError(error, createOutput({ json: true }, out))
  } finally {
    vi.unstubAllEnvs()
  }
  return { code, last: JSON.parse(lines.at(-1) ?? '{}') as Readonly<Record<string, unknown>>, output: lines.join('\n') }
}
