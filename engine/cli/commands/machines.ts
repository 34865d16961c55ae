import { homedir } from 'node:os'
import type { Command } from 'commander'
import { backupCommand } from '../../protocol/backup-command.ts'
import { atHome, readMachineSettings, type PortableSettings } from '../../protocol/machine-settings.ts'
import { scheduleText } from '../../protocol/schedule.ts'
import type { MachineSettings } from '../../repository/protocol/machines.ts'
import { exitCodes } from '../exit-codes.ts'
import { formatTime } from '../format.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'

/** `machines`: what the app keeps in the repository so that another machine can take its place. */
export function addMachines(program: Command, builder: ProgramBuilder): void {
  const command = builder.command('machines', 'show the jobs of machines that back up here, and how to go on with them', ['machines', 'machines --recovery-key-file words.txt'])
  command.addHelpText('after', `
The app keeps its jobs in the repository that they go to, without addresses and passwords. On a new computer, restore first; then the commands that are
shown go on with a job under the old machine's name. What is there already is not sent again. Folders below the old home folder are shown below yours.`)
  command.action(async (options: CommonOptions) => {
    await builder.run(options, async ({ settings, context, output }) => {
      const { listMachinesOf } = await import('../../commands/machines.ts')
      const machines = await listMachinesOf(settings, context)
      for (const machine of machines) {
        const read = readMachineSettings(machine.settings)
        const { host, user, savedMs, program: savedBy } = machine
        output.record({ type: 'machine', host, user, savedMs, program: savedBy, ...(read ? { home: read.home, jobs: read.jobs } : {}) }, ...machineLines(machine, read, homedir()))
      }
      return { exitCode: exitCodes.success, json: { operation: 'machines', outcome: 'success', machines: machines.length }, text: machines.length === 0 ? ['No machine has left its jobs here.'] : [] }
    })
  })
  program.addCommand(command)
}

function machineLines({ host, user, savedMs }: MachineSettings, settings: PortableSettings | undefined, home: string): readonly string[] {
  const head = `${host} (${user}), ${formatTime(savedMs)}`
  if (!settings) return [head, '  Its jobs cannot be read: they are of a later version of Holdfast.']
  return [head, ...settings.jobs.flatMap((job) => [`  ${job.name}, ${scheduleText(job.schedule)}: ${job.sources.join(', ')}`, `    $ ${backupCommand(job, host, (path) => atHome(path, settings.home, home))}`])]
}
