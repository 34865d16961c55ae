import type { Command } from 'commander'
import { runToEnding } from '../execute.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { checkLines } from '../check-text.ts'
import { parsePercent } from '../values.ts'

interface CheckOptions extends CommonOptions {
  readonly readData?: number | true
  readonly repair?: true
}

export function addCheck(program: Command, builder: ProgramBuilder): void {
  const command = builder
    .command('check', 'find every missing or damaged object and what it affects', ['check', 'check --read-data', 'check --read-data=10%', 'check --repair'])
    .option('--read-data [percent]', 'also read packs whole: all, or this share of them', parsePercent)
    .option('--repair', 'write damaged or missing indexes anew and store again what the sources still have')
  command.action(async (options: CheckOptions) => {
    const readDataPercent = options.readData === true ? 100 : (options.readData ?? 0)
    await builder.run(options, ({ settings, context }) =>
      runToEnding({ ...settings, type: 'check', readDataPercent, ...(options.repair ? { repair: true } : {}) }, context, checkLines),
    )
  })
  program.addCommand(command)
}
