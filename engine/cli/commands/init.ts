import type { Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'

export function addInit(program: Command, builder: ProgramBuilder): void {
  const command = builder.command('init', 'create an encrypted repository', [
    'init --repo /mnt/disk/backup',
    "init --repo 's3://bucket/laptop?endpoint=https://s3.example.org&region=eu'",
  ])
  command.action(async (options: CommonOptions) => {
    await builder.run({ ...options, newRepository: true }, async ({ settings, context }) => {
      const { init } = await import('../../commands/init.ts')
      const summary = await init(settings, context)
      return {
        exitCode: exitCodes.success,
        json: { ...summary },
        text: [`repository ${summary.repositoryId ?? ''} created`, 'Keep the password safe: without it nobody can read the backups.'],
      }
    })
  })
  program.addCommand(command)
}
