import type { Command } from 'commander'
import { drillHeader, drillLines, drillRow } from '../drill-text.ts'
import { runToEnding, type Ending, type Invocation } from '../execute.ts'
import { exitCodes } from '../exit-codes.ts'
import { formatTable } from '../format.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { parseHost, parseJobName, parsePositive, parseSize, parseText } from '../values.ts'

interface DrillOptions extends CommonOptions {
  readonly list?: true
  readonly job?: string
  readonly files?: number
  readonly size?: number
  readonly seed?: string
}

export function addDrill(program: Command, builder: ProgramBuilder): void {
  const command = builder
    .command('drill', 'restore some files by chance, compare them, and keep the proof', ['drill', 'drill --job home --files 50 --size 1G', 'drill --list'])
    .option('-l, --list', 'show how the drills ended so far')
    .option('-j, --job <name>', 'only files of this job', parseJobName)
    .option('--host <name>', 'name of this machine (default: its own): files of its snapshots are compared with their sources, too', parseHost)
    .option('--files <n>', 'files at most (default: 25)', parsePositive)
    .option('--size <size>', 'bytes at most (default: 128M); larger files are not taken', parseSize)
    .option('--seed <text>', 'take the same files as the drill that told this seed', parseText)
    .addHelpText('after', `
Files are taken by chance from the newest snapshot of a job and from others, likelier the older and larger they are. They are restored from the storage
into a folder under HOLDFAST_HOME, without any cache, compared there with what was recorded, and with their sources where these are unchanged, and removed.
Exit code 100: a file could not be restored as it was stored; it is named. 2: a source that seems unchanged is not what was stored.`)
  command.action(async (options: DrillOptions) => {
    await builder.run(options, (invocation) => (options.list ? listDrills(invocation) : holdDrill(invocation, options)))
  })
  program.addCommand(command)
}

function holdDrill({ settings, context }: Invocation, { job, files, size, seed }: DrillOptions): Promise<Ending> {
  return runToEnding(
    {
      ...settings, type: 'drill',
      ...(job === undefined ? {} : { name: job }),
      ...(files === undefined ? {} : { files }),
      ...(size === undefined ? {} : { bytes: size }),
      ...(seed === undefined ? {} : { seed }),
    },
    context,
    drillLines,
  )
}

async function listDrills({ settings, context, output }: Invocation): Promise<Ending> {
  const { openBrowser } = await import('../../commands/browse.ts')
  await using browser = await openBrowser({ ...settings, type: 'browse' }, context)
  const drills = await browser.drills(100)
  const rows = formatTable(drillHeader, drills.map(drillRow), [3, 4, 5, 6])
  for (const [index, drill] of drills.entries()) output.record({ type: 'drill', ...drill }, ...rows.slice(index === 0 ? 0 : index + 1, index + 2))
  return { exitCode: exitCodes.success, json: { operation: 'drill', outcome: 'success', drills: drills.length }, text: drills.length === 0 ? ['There was no restore drill yet.'] : [] }
}
