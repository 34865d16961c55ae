import type { Command } from 'commander'
import { runToEnding } from '../execute.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { detailLines } from '../detail-lines.ts'
import { parseJobName } from '../values.ts'

export function addRebuild(program: Command, builder: ProgramBuilder): void {
  const command = builder
    .command('rebuild', 'make the local catalog anew from the repository', ['rebuild', 'rebuild --job home'])
    .option('-j, --job <name>', 'the catalog of this job (default: the one for reading)', parseJobName)
  command.action(async (options: CommonOptions & { readonly job?: string }) => {
    await builder.run(options, ({ settings, context }) =>
      runToEnding({ ...settings, type: 'rebuild', ...(options.job === undefined ? {} : { name: options.job }) }, context, detailLines),
    )
  })
  program.addCommand(command)
}
