import { CommanderError } from 'commander'
import { HoldfastError } from '../base/errors.ts'
import { exitCodes } from './exit-codes.ts'
import { createOutput, reportError } from './execute.ts'
import { StandardOutput } from './output.ts'
import { buildProgram } from './program.ts'

/** Runs the command line and ends the process with one of exitCodes. */
export async function main(args: readonly string[]): Promise<void> {
  const out = new StandardOutput()
  const json = args.includes('--json')
  const fail = (error: unknown): number => reportError(error, createOutput(json ? { json: true } : {}, out))
  const die = (error: unknown): void => {
    const code = fail(error)
    void out.flush().finally(() => process.exit(code))
  }
  process.on('uncaughtException', die)
  process.on('unhandledRejection', die)
  const code = await run(args, json, out, fail)
  await out.flush()
  // A worker or a socket that lingers must not keep a finished command alive.
  process.exit(code)
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
