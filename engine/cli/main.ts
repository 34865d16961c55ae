import { CommanderError } from 'commander'
import { HoldfastError } from '../base/errors.ts'
import { exitCodes } from './exit-codes.ts'
import { createOutput, reportError } from './execute.ts'
import { StandardOutput } from './output.ts'
import { buildProgram } from './program.ts'

/** Runs the command line and ends the process with one of exitCodes. */
export async function main(args: readonly string[]): Promise<void> {
  const out = new StandardOutput()
  const fail = failing(args, out)
  const die = (error: unknown): void => {
    const code = fail(error)
    void out.flush().finally(() => process.exit(code))
  }
  process.on('uncaughtException', die)
  process.on('unhandledRejection', die)
  const code = await runCommandLine(args, out)
  await out.flush()
  // A worker or a socket that lingers must not keep a finished command alive.
  process.exit(code)
}

/** One command line to its end. @returns one of exitCodes. Never rejects. */
export function runCommandLine(args: readonly string[], out: StandardOutput): Promise<number> {
  return run(args, args.includes('--json'), out, failing(args, out))
}

function failing(args: readonly string[], out: StandardOutput): (error: unknown) => number {
  return (error) => reportError(error, createOutput(args.includes('--json') ? { json: true } : {}, out))
}

async function run(args: readonly string[], json: boolean, out: StandardOutput, fail: (error: unknown) => number): Promise<number> {
  let code: number = exitCodes.success
  const program = buildProgram(out, json, (result) => { code = result })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(error)
    if (error.exitCode === 0) return exitCodes.success
    // Commander has told a person already; a program gets its event.
    if (json) fail(new HoldfastError('arguments', error.message.replace(/^error: /, '')))
    return exitCodes.arguments
  }
}
