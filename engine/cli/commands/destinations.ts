import type { Command } from 'commander'
import { providers } from '../../protocol/providers/registry.ts'
import { destinationLines } from '../destination-text.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'

export function addDestinations(program: Command, builder: ProgramBuilder): void {
  const command = builder.group('destinations', 'show where a repository can be, and how each address is written').option('--json', 'one JSON event')
  command.action((options: CommonOptions) => {
    const told = providers.map(({ id, name, summary, schemes, example, fields, secrets }) => ({
      id, name, summary, schemes, example,
      fields: fields.map((field) => ({ name: field.name, at: field.at, label: field.label, required: field.required })),
      secrets: secrets.map(({ label, required, variables }) => ({ label, required, variables })),
    }))
    const folder = ['Folder or disk', '  /mnt/disk/backup', '  file:///mnt/disk/backup', '']
    builder.tell(options, { destinations: told }, [...folder, ...providers.flatMap(destinationLines)])
  })
  program.addCommand(command)
}
