import type { Command } from 'commander'
import { providers } from '../../protocol/providers/registry.ts'
import { exitCodes } from '../exit-codes.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'

export function addInit(program: Command, builder: ProgramBuilder): void {
  const command = builder.command('init', 'create an encrypted repository', [
    'init --repo /mnt/disk/backup',
    ...providers.slice(0, 1).map(({ example }) => `init --repo '${example}'`),
  ])
  command.addHelpText('after', `
A folder has to be new or empty; it is for the repository alone, and for its owner alone. For a folder that a group is to share:
  $ mkdir /srv/backup && chgrp backup /srv/backup && chmod 2770 /srv/backup`)
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
