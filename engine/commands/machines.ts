import { readMachines, type MachineSettings } from '../repository/protocol/machines.ts'
import type { CommandContext } from './context.ts'
import type { RepositoryAddress } from './init.ts'
import { openForCommand } from './open.ts'

/** What machines left in the repository, the newest first. Errors: those of openForCommand. */
export async function listMachinesOf(address: RepositoryAddress, context: CommandContext): Promise<readonly MachineSettings[]> {
  await using open = await openForCommand({ ...address, type: 'test' }, context)
  return await readMachines(open.repository, context.signal)
}
