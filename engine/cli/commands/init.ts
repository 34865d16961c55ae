import type { Command } from 'commander'
import { HoldfastError } from '../../base/errors.ts'
import { providers } from '../../protocol/providers/registry.ts'
import { exitCodes } from '../exit-codes.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { absoluteAddress } from '../../backend/address.ts'
import { parseText } from '../values.ts'

interface InitOptions extends CommonOptions {
  readonly like?: string
  readonly fromPasswordFile?: string
}

export function addInit(program: Command, builder: ProgramBuilder): void {
  const command = builder.command('init', 'create an encrypted repository', [
    'init --repo /mnt/disk/backup',
    ...providers.slice(0, 1).map(({ example }) => `init --repo '${example}'`),
    'init --repo /mnt/copy --like /mnt/disk/backup',
  ])
  command
    .option('--like <address>', 'cut and name pieces of files as this repository does, so that a sync from there finds those that are here already', parseText)
    .option('--from-password-file <file>', 'file whose first line is the password of that one, - for standard input (or HOLDFAST_FROM_PASSWORD, or a prompt)')
  command.addHelpText('after', `
A folder has to be new or empty; it is for the repository alone, and for its owner alone. For a folder that a group is to share:
  $ mkdir /srv/backup && chgrp backup /srv/backup && chmod 2770 /srv/backup

With --like both still have their own passwords and keys. But who knows the password of one can find out about known files whether the
other holds them, if he also sees how that is read and written; so make two repositories alike only where the same people use both.`)
  command.action(async (options: InitOptions) => {
    const like = options.like === undefined ? undefined : absoluteAddress(options.like)
    const source = like === undefined ? {} : { source: { repository: like, passwordFile: options.fromPasswordFile } }
    await builder.run({ ...options, ...source, newRepository: true }, async ({ settings, context }) => {
      if (like === undefined && options.fromPasswordFile !== undefined) throw new HoldfastError('arguments', '--from-password-file is for --like.')
      const { init } = await import('../../commands/init.ts')
      const summary = await init(settings, context, like)
      return {
        exitCode: exitCodes.success,
        json: { ...summary },
        text: [`repository ${summary.repositoryId ?? ''} created`, 'Keep the password safe: without it nobody can read the backups.'],
      }
    })
  })
  program.addCommand(command)
}
