import { hostname } from 'node:os'
import type { Command } from 'commander'
import type { UnusualSnapshot } from '../../commands/acknowledge.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Ending, Invocation } from '../execute.ts'
import { formatPlural, formatTime } from '../format.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { parseHost, parseJobName } from '../values.ts'

export function addAcknowledge(program: Command, builder: ProgramBuilder): void {
  const command = builder
    .command('acknowledge', 'say that an unusual change is as it should be; without a job, list what is unusual', ['acknowledge', 'acknowledge home', 'acknowledge photos --host laptop'])
    .argument('[job]', 'name of the job', parseJobName)
    .option('--host <name>', 'machine whose job it is (default: this one)', parseHost)
  command.addHelpText('after', `
A backup in which very many files are gone, are different or look encrypted, measured by what is usual for the job, is stored all the same, and warns. From
then on no snapshot of the job that is as old or older is forgotten, and nothing is pruned, until it is acknowledged.`)
  command.action(async (job: string | undefined, options: CommonOptions) => {
    await builder.run(options, (invocation) => (job === undefined ? list(invocation) : say(invocation, job)))
  })
  program.addCommand(command)
}

async function list({ settings, context, output }: Invocation): Promise<Ending> {
  const { listUnusual } = await import('../../commands/acknowledge.ts')
  const found = await listUnusual(settings, context)
  for (const each of found) output.record({ type: 'unusual', ...each }, line(each))
  const text = found.length === 0 ? ['Nothing is unusual.'] : []
  return { exitCode: exitCodes.success, json: { operation: 'acknowledge', outcome: 'success', unusual: found.length }, text }
}

async function say({ settings, context, output }: Invocation, job: string): Promise<Ending> {
  const { acknowledge } = await import('../../commands/acknowledge.ts')
  const host = settings.host ?? hostname()
  const said = await acknowledge(settings, { job, host }, context)
  for (const each of said) output.record({ type: 'acknowledged', ...each }, line(each))
  const text = said.length === 0 ? [`Nothing of ${job} on ${host} is unusual.`] : [`${formatPlural(said.length, 'snapshot')} acknowledged: nothing of ${job} on ${host} is held any more.`]
  return { exitCode: said.length === 0 ? exitCodes.unchanged : exitCodes.success, json: { operation: 'acknowledge', outcome: said.length === 0 ? 'unchanged' : 'success', acknowledged: said.length }, text }
}

function line({ id, host, finishedMs, words }: UnusualSnapshot): string {
  return `${id}  ${formatTime(finishedMs)}  ${host}: ${words}`
}
