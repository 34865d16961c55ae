import { Option } from 'commander'
import type { Command } from 'commander'
import { absolutePath } from '../../base/typed-path.ts'
import type { PlanStep } from '../../commands/restore/plan.ts'
import type { RestoreJob } from '../../protocol/job.ts'
import { overwriteRules } from '../../protocol/restore-rules.ts'
import { detailLines } from '../detail-lines.ts'
import { runToEnding, type Ending, type Invocation } from '../execute.ts'
import { endingOf } from '../missed.ts'
import { plannedJson, plannedLine, planSummary, planSums } from '../plan-text.ts'
import { printedPath, readLists, snapshotPath, type ListOptions } from '../files-from.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { collect, parseHost, parseSnapshot } from '../values.ts'

interface RestoreOptions extends CommonOptions, ListOptions {
  readonly to: string
  readonly path?: readonly string[]
  readonly except?: readonly string[]
  readonly overwrite: RestoreJob['overwrite']
  readonly dryRun?: true
}

export function addRestore(program: Command, builder: ProgramBuilder): void {
  const overwrite = new Option('--overwrite <rule>', 'what happens to files that exist: never touched, replaced where size or time differ, replaced where they are older, kept with the restored one beside them (the snapshot\'s date in its name), or compared byte by byte')
    .choices(overwriteRules)
    .default('changed')
  const command = builder
    .command('restore', 'write a snapshot, or parts of it, into a folder', [
      'restore latest --to /tmp/restored',
      'restore home@12 --to ~/old --path Documents/letters --path Pictures/2024',
      'restore latest --to ~/old --path Documents --except Documents/cache',
      'restore latest:home --to ~/old --overwrite never',
      'restore latest --to ~/old --dry-run',
    ])
    .argument('<snapshot>', 'JOB@REVISION, latest, latest:JOB or latest:HOST/JOB', parseSnapshot)
    .option('--host <name>', 'machine whose snapshots `latest` means (default: this one; else the only one there is)', parseHost)
    .requiredOption('--to <folder>', 'folder that receives the files; nothing is written outside it')
    .option('-p, --path <path>', 'path inside the snapshot, as `ls` shows it; may be repeated', collect)
    .option('--files-from <file>', 'more paths inside the snapshot, one a line, as `ls` shows them; - for standard input', collect)
    .option('--files-from0 <file>', 'more paths inside the snapshot, each ended by a zero byte, exact; - for standard input', collect)
    .option('-x, --except <path>', 'path inside the snapshot that is left out; may be repeated', collect)
    .addOption(overwrite)
    .option('-n, --dry-run', 'only say what would be written, replaced and left; nothing is written')
  command.action(async (snapshot: string, options: RestoreOptions) => {
    await builder.run(options, async ({ settings, context, output }) => {
      const listed = await readLists(options)
      const target = absolutePath('--to', options.to)
      const job: RestoreJob = {
        ...settings,
        type: 'restore',
        snapshot,
        target,
        paths: [...(options.path ?? []).map(printedPath), ...listed.map(snapshotPath)],
        ...(options.except ? { except: options.except.map(printedPath) } : {}),
        overwrite: options.overwrite,
      }
      return options.dryRun ? showPlan(job, target, { settings, context, output }) : runToEnding(job, context, detailLines)
    })
  })
  program.addCommand(command)
}

async function showPlan({ snapshot, paths, except, overwrite }: RestoreJob, target: string, { settings, context, output }: Invocation): Promise<Ending> {
  const [{ openBrowser }, { PlanCounter }] = await Promise.all([import('../../commands/browse.ts'), import('../../commands/restore/plan.ts')])
  await using browser = await openBrowser({ ...settings, type: 'browse' }, context)
  const counter = new PlanCounter()
  for await (const step of browser.plan({ snapshot, paths, ...(except ? { except } : {}) }, target)) {
    if (output.closed) break
    counter.add(step)
    if (isTold(step)) output.record(plannedJson(step, overwrite), plannedLine(step, overwrite))
  }
  const json = { ...endingOf(browser).json, operation: 'restore', dryRun: true, overwrite, plan: planSums(counter.totals, overwrite) }
  return { ...endingOf(browser), json, text: [planSummary(counter.totals, overwrite)] }
}

/** Folders that come or are there anyway say nothing. */
function isTold({ node, of }: PlanStep): boolean {
  return node.type !== 'directory' || of === 'blocked' || of === 'unreadable'
}
