import { hostname } from 'node:os'
import type { Command } from 'commander'
import type { DiffRequest } from '../../commands/diff.ts'
import { HoldfastError } from '../../base/errors.ts'
import { expectChange } from '../../snapshot/annotation.ts'
import type { AnnotationView, EntryView, SnapshotView } from '../../protocol/messages.ts'
import { overdue } from '../../protocol/overdue.ts'
import { differenceJson, differenceLine, diffSummary } from '../diff-text.ts'
import { drillLine } from '../drill-text.ts'
import type { Ending, Invocation } from '../execute.ts'
import { printedPath } from '../files-from.ts'
import { formatBytes, formatTable, formatTime } from '../format.ts'
import { exactBytes } from '../json-output.ts'
import { endingOf } from '../missed.ts'
import { overdueLine } from '../overdue-text.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { parseHost, parseJobName, parseSnapshot, parseText } from '../values.ts'

/** Entries of a folder are fetched and printed a page at a time. */
const pageEntries = 1000

/** `snapshots`, `annotate`, `ls` and `diff`. */
export function addBrowsing(program: Command, builder: ProgramBuilder): void {
  const snapshots = builder
    .command('snapshots', 'list the snapshots', ['snapshots', 'snapshots --job home --json'])
    .option('-j, --job <name>', 'only snapshots of this job', parseJobName)
    .option('--host <name>', 'only snapshots of this machine', parseHost)
  snapshots.action(async (options: CommonOptions & { readonly job?: string }) => {
    await builder.run(options, (invocation) => listSnapshots(invocation, options))
  })
  program.addCommand(snapshots)
  addAnnotate(program, builder)
  const list = builder
    .command('ls', 'list a folder of a snapshot', ['ls latest', 'ls home@12 Documents/letters'])
    .argument('<snapshot>', 'JOB@REVISION, latest, latest:JOB or latest:HOST/JOB', parseSnapshot)
    .argument('[path]', 'folder inside the snapshot, as `ls` shows it (default: its root)', parseText)
    .option('--host <name>', 'machine whose snapshots `latest` means (default: this one; else the only one there is)', parseHost)
  list.action(async (snapshot: string, path: string | undefined, options: CommonOptions) => {
    await builder.run(options, (invocation) => listFolder(invocation, snapshot, printedPath(path ?? '')))
  })
  program.addCommand(list)
  addDiff(program, builder)
}

interface DiffOptions extends CommonOptions {
  readonly metadata?: true
}

function addDiff(program: Command, builder: ProgramBuilder): void {
  const command = builder
    .command('diff', 'show what changed from one snapshot to another', ['diff latest', 'diff home@3 home@12', 'diff home@3 home@12 Documents/letters'])
    .argument('<snapshot>', 'JOB@REVISION, latest, latest:JOB or latest:HOST/JOB', parseSnapshot)
    .argument('[newer]', 'snapshot to compare it with (default: <snapshot> is compared with the one before it, of its job and machine)', parseSnapshot)
    .argument('[path]', 'file or folder in them, as `ls` shows it (default: all)', parseText)
    .option('--metadata', 'show also what has other times, rights, owners or attributes only')
    .option('--host <name>', 'machine whose snapshots `latest` means (default: this one; else the only one there is)', parseHost)
  command.action(async (snapshot: string, newer: string | undefined, path: string | undefined, options: DiffOptions) => {
    await builder.run(options, (invocation) => diff(invocation, { ...(newer === undefined ? { newer: snapshot } : { older: snapshot, newer }), path: printedPath(path ?? '') }, options))
  })
  program.addCommand(command)
}

async function diff({ settings, context, output }: Invocation, request: DiffRequest, { metadata = false }: { readonly metadata?: boolean }): Promise<Ending> {
  const [{ openBrowser }, { DiffCounter }] = await Promise.all([import('../../commands/browse.ts'), import('../../commands/diff.ts')])
  await using browser = await openBrowser({ ...settings, type: 'browse' }, context)
  const { older, newer, differences } = await browser.diff(request)
  const counter = new DiffCounter()
  for await (const difference of differences) {
    if (output.closed) break
    counter.add(difference)
    if (difference.kind !== 'metadata' || metadata) output.record(differenceJson(difference), differenceLine(difference))
  }
  const text = `${older} → ${newer}: ${diffSummary(counter.totals, { withMetadata: metadata })}`
  return { ...endingOf(browser), json: { operation: 'diff', ...endingOf(browser).json, older, newer, differences: counter.totals }, text: [text] }
}

async function listSnapshots({ settings, context, output }: Invocation, { job, host }: { readonly job?: string; readonly host?: string }): Promise<Ending> {
  const { openBrowser } = await import('../../commands/browse.ts')
  await using browser = await openBrowser({ ...settings, type: 'browse' }, context)
  const all = (await browser.snapshots()).toSorted((a, b) => compare(a.host, b.host) || compare(a.job, b.job))
  const snapshots = all.filter((snapshot) => (job ?? snapshot.job) === snapshot.job && (host ?? snapshot.host) === snapshot.host)
  const rows = formatTable(['SNAPSHOT', 'FINISHED', 'HOST', 'FILES', 'SIZE', 'WARNINGS', '', 'SOURCES'], snapshots.map(snapshotRow), [3, 4, 5])
  for (const [index, snapshot] of snapshots.entries()) {
    output.record({ type: 'snapshot', ...snapshot }, ...rows.slice(index === 0 ? 0 : index + 1, index + 2))
  }
  const late = overdue(snapshots, settings.host ?? hostname(), context.clock.now())
  for (const each of late) output.record({ type: 'overdue', ...each }, overdueLine(each))
  const [drill] = await browser.drills(1)
  const text = [...(snapshots.length === 0 ? ['There are no snapshots.'] : []), ...(drill ? [drillLine(drill)] : [])]
  return { ...endingOf(browser), json: { operation: 'snapshots', ...endingOf(browser).json, snapshots: snapshots.length, ...(drill ? { drill } : {}) }, text }
}

interface AnnotateOptions extends CommonOptions {
  readonly pin?: true
  readonly unpin?: true
  readonly name?: string
  readonly note?: string
}

function addAnnotate(program: Command, builder: ProgramBuilder): void {
  const command = builder
    .command('annotate', 'pin a snapshot, or give it a name and a note', [
      'annotate photos@12 --pin --name \'Before the move\'', 'annotate latest:photos --note \'All of Iceland\'', 'annotate photos@12 --unpin --name \'\'',
    ])
    .argument('<snapshot>', 'JOB@REVISION, latest, latest:JOB or latest:HOST/JOB', parseSnapshot)
    .option('--pin', 'no policy forgets it')
    .option('--unpin', 'policies may forget it')
    .option('--name <text>', 'one line; \'\' takes it away')
    .option('--note <text>', 'any text; \'\' takes it away')
    .option('--host <name>', 'machine whose snapshots `latest` means (default: this one; else the only one there is)', parseHost)
  command.action(async (snapshot: string, options: AnnotateOptions) => {
    await builder.run(options, (invocation) => annotate(invocation, snapshot, options))
  })
  program.addCommand(command)
}

async function annotate({ settings, context }: Invocation, snapshot: string, { pin, unpin, name, note }: AnnotateOptions): Promise<Ending> {
  if (pin && unpin) throw new HoldfastError('arguments', 'Give --pin or --unpin, not both.')
  const change = { ...(pin ? { pinned: true } : unpin ? { pinned: false } : {}), ...(name === undefined ? {} : { name }), ...(note === undefined ? {} : { note }) }
  expectChange(change)
  const { openBrowser } = await import('../../commands/browse.ts')
  await using browser = await openBrowser({ ...settings, type: 'browse' }, context)
  const { snapshot: id, annotation } = await browser.annotate({ snapshot, change })
  const text = `${id}: ${annotationText(annotation) || 'not pinned, no name, no note'}`
  return { ...endingOf(browser), json: { operation: 'annotate', ...endingOf(browser).json, snapshot: id, annotation }, text: [text] }
}

function annotationText(annotation: AnnotationView | undefined): string {
  if (!annotation) return ''
  const { pinned, name, note } = annotation
  return [...(pinned ? ['pinned'] : []), ...(name === '' ? [] : [`“${name}”`]), ...(note === '' ? [] : [shortened(note)])].join(' ')
}

/** Of a note's first line what a table bears; `--json` has all of it. */
function shortened(note: string): string {
  const [line = ''] = note.split('\n', 1)
  const start = [...line].slice(0, 40).join('')
  return start === note ? note : `${start}…`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function snapshotRow(snapshot: SnapshotView): string[] {
  const { id, finishedMs, host, files, bytes, problems, sources, annotation } = snapshot
  return [id, formatTime(finishedMs), host, String(files), formatBytes(bytes), String(problems), annotationText(annotation), sources.join(' ')]
}

async function listFolder({ settings, context, output }: Invocation, snapshot: string, path: Uint8Array): Promise<Ending> {
  const { openBrowser } = await import('../../commands/browse.ts')
  await using browser = await openBrowser({ ...settings, type: 'browse' }, context)
  let entries = 0
  let after: Uint8Array | undefined
  for (let more = true; more && !output.closed; ) {
    const page = await browser.list({ type: 'list', snapshot, path, limit: pageEntries, ...(after ? { after } : {}) })
    for (const entry of page.entries) output.record(entryJson(entry), entryText(entry))
    entries += page.entries.length
    after = page.entries.at(-1)?.name
    more = page.more && after !== undefined
  }
  return { ...endingOf(browser), json: { operation: 'ls', ...endingOf(browser).json, entries }, text: [] }
}

/** `nameBytes` (base64) is there where the name is not valid UTF-8. */
function entryJson(entry: EntryView): Record<string, unknown> {
  const { name, type, shown, ...rest } = entry
  return { type: 'entry', kind: type, name: shown, ...exactBytes('nameBytes', name, shown), ...rest }
}

function entryText(entry: EntryView): string {
  const size = entry.size === undefined ? '' : formatBytes(entry.size)
  const tail = { file: '', directory: '/', symlink: ` -> ${entry.linkTarget ?? ''}`, fifo: '|' }[entry.type]
  return `${size.padStart(10)}  ${formatTime(entry.mtimeMs)}  ${entry.shown}${tail}`
}
