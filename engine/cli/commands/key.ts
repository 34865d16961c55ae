import type { Command } from 'commander'
import type { KeyInfo } from '../../commands/key.ts'
import { exitCodes } from '../exit-codes.ts'
import { formatTable, formatTime } from '../format.ts'
import type { ProgramBuilder } from '../program.ts'
import { readNewPassword } from '../secrets.ts'
import type { CommonOptions } from '../settings.ts'
import { addRotate } from './rotate.ts'

export function addKey(program: Command, builder: ProgramBuilder): void {
  const group = builder.group('key', 'add, remove and list the passwords of a repository; change its master key')
  addList(group, builder)
  const add = builder
    .command('add', 'let another password open the repository', ['key add', 'key add --new-password-file second.txt'])
    .option('--new-password-file <file>', 'file whose first line is the new password, - for standard input (or HOLDFAST_NEW_PASSWORD, or a prompt)')
  add.action(async (options: CommonOptions & { readonly newPasswordFile?: string }) => {
    await builder.run(options, async ({ settings, context }) => {
      const newPassword = await readNewPassword(options.newPasswordFile, (words) => { context.log.write('warning', words) })
      const { addKeyTo } = await import('../../commands/key.ts')
      const id = await addKeyTo(settings, newPassword, context)
      return { exitCode: exitCodes.success, json: { operation: 'key-add', outcome: 'success', key: id }, text: [`key ${id} added`] }
    })
  })
  group.addCommand(add)
  const remove = builder.command('remove <id>', 'shut out a password; the last one cannot be removed', ['key list', 'key remove 3f2a…'])
  remove.action(async (id: string, options: CommonOptions) => {
    await builder.run(options, async ({ settings, context }) => {
      const { removeKeyFrom } = await import('../../commands/key.ts')
      const removed = await removeKeyFrom(settings, id, context)
      return { exitCode: exitCodes.success, json: { operation: 'key-remove', outcome: 'success', key: removed }, text: [`key ${removed} removed`] }
    })
  })
  group.addCommand(remove)
  addRotate(group, builder)
  program.addCommand(group)
}

function addList(group: Command, builder: ProgramBuilder): void {
  const command = builder.command('list', 'list the keys, one for each password', ['key list'])
  command.action(async (options: CommonOptions) => {
    await builder.run(options, async ({ settings, context, output }) => {
      const { listKeysOf } = await import('../../commands/key.ts')
      const keys = await listKeysOf(settings, context)
      const lines = formatTable(['KEY', 'LABEL', 'CREATED', ''], keys.map(keyRow))
      output.record({ type: 'keys', keys }, ...lines)
      return { exitCode: exitCodes.success, json: { operation: 'key-list', outcome: 'success', keys: keys.length }, text: [] }
    })
  })
  group.addCommand(command)
}

function keyRow(key: KeyInfo): string[] {
  return [key.name, key.label ?? '(cannot be read)', key.createdMs === undefined ? '' : formatTime(key.createdMs), key.current ? 'opened with this one' : '']
}
