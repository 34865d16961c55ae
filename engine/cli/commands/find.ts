import type { Command } from 'commander'
import type { Browser } from '../../commands/browse.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { FoundEntry, PathVersion, SearchCoverage } from '../../protocol/messages.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Ending, Invocation } from '../execute.ts'
import { printedPath } from '../files-from.ts'
import { formatBytes, formatPlural, formatTable, formatTime } from '../format.ts'
import { exactBytes } from '../json-output.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { parseHost, parseJobName, parseSnapshot, parseText } from '../values.ts'

/** What is found is asked for and printed a page at a time. */
const pageEntries = 200
const longestText = 256

/** `find` and `versions`. */
export function addFind(program: Command, builder: ProgramBuilder): void {
  const find = builder
    .command('find', 'find files and folders of all snapshots by parts of their names', ['find report', 'find tax 2024 --job documents --json'])
    .argument('<text...>', 'words that the name holds; upper and lower case and accents are alike')
    .option('-j, --job <name>', 'only in snapshots of this job', parseJobName)
    .option('--host <name>', 'only in snapshots of this machine', parseHost)
    .addHelpText('after', findHelp)
  find.action(async (text: readonly string[], options: FindOptions) => {
    await builder.run(options, (invocation) => findEntries(invocation, parseWords(text), options))
  })
  program.addCommand(find)
  const versions = builder
    .command('versions', 'show what a path was, snapshot by snapshot', ['versions latest Documents/letter.odt', 'versions latest:home/photos 2024/iceland.jpg --json'])
    .argument('<snapshot>', 'JOB@REVISION, latest, latest:JOB or latest:HOST/JOB: all snapshots of its job on its machine are looked at', parseSnapshot)
    .argument('<path>', 'path inside the snapshots, as `ls` and `find` show it', parseText)
    .option('--host <name>', 'machine whose snapshots `latest` means (default: this one; else the only one there is)', parseHost)
  versions.action(async (snapshot: string, path: string, options: CommonOptions) => {
    await builder.run(options, (invocation) => showVersions(invocation, snapshot, path))
  })
  program.addCommand(versions)
}

const findHelp = `
Each word of three characters or more is found anywhere in a name; a text of one or two finds names that begin with it. Only names are looked at, not the
folders they are in. The names are in an index in HOLDFAST_HOME, which each backup of this machine adds to; what it lacks is read from the repository first.
Exit code 1: nothing was found. 2: not all snapshots could be searched.`

interface FindOptions extends CommonOptions {
  readonly job?: string
  readonly host?: string
}

function parseWords(words: readonly string[]): string {
  const text = words.join(' ').trim()
  if (text === '' || text.length > longestText) throw new HoldfastError('arguments', `Give 1 to ${longestText} characters of a name.`)
  return text
}

async function findEntries({ settings, context, output }: Invocation, text: string, { job, host }: FindOptions): Promise<Ending> {
  const { openBrowser } = await import('../../commands/browse.ts')
  await using browser = await openBrowser({ ...settings, type: 'browse' }, context)
  await browser.filled()
  let found = 0
  let after: string | undefined
  for (;;) {
    const page = await browser.search({ text, limit: pageEntries, ...(after === undefined ? {} : { after }) })
    const wanted = page.entries.filter((entry) => (job ?? entry.job) === entry.job && (host ?? entry.host) === entry.host)
    for (const entry of wanted) output.record(foundJson(entry), foundText(entry))
    found += wanted.length
    after = page.next
    if (after === undefined || output.closed) return ending(browser, page.coverage, 'find', found, { found }, [found === 0 ? 'Nothing was found.' : `${formatPlural(found, 'path')} found.`])
  }
}

async function showVersions({ settings, context, output }: Invocation, snapshot: string, path: string): Promise<Ending> {
  const { openBrowser } = await import('../../commands/browse.ts')
  await using browser = await openBrowser({ ...settings, type: 'browse' }, context)
  await browser.filled()
  const { versions, coverage } = await browser.versions({ snapshot, path: printedPath(path) })
  if (versions.length === 0) throw new HoldfastError('not-found', `No snapshot of this job holds ${path}. Give the path as \`holdfast find\` shows it.`)
  const rows = formatTable(['SNAPSHOT', 'FIRST SEEN', 'LAST SEEN', 'SIZE', 'CHANGED', ''], versions.map(versionRow), [3])
  for (const [index, version] of versions.entries()) output.record({ ...version, type: 'version', kind: version.type }, ...rows.slice(index === 0 ? 0 : index + 1, index + 2))
  return ending(browser, coverage, 'versions', versions.length, { versions: versions.length }, [`${formatPlural(versions.length, 'version')}. \`holdfast restore SNAPSHOT --path PATH --to FOLDER\` brings one back.`])
}

function ending({ missed }: Browser, coverage: SearchCoverage, operation: string, count: number, json: Readonly<Record<string, number>>, text: readonly string[]): Ending {
  const lacking = coverage.snapshots - coverage.searched
  const problems = missed.length + (lacking > 0 ? 1 : 0)
  const outcome = problems > 0 ? 'warnings' : count > 0 ? 'success' : 'unchanged'
  const told = lacking > 0 ? [`${formatPlural(lacking, 'snapshot')} of ${coverage.snapshots} could not be searched: the index of names does not have them. \`holdfast rebuild\` makes it anew.`] : []
  return { exitCode: exitCodes[outcome], json: { operation, outcome, ...json, searched: coverage.searched, snapshots: coverage.snapshots, ...(problems > 0 ? { problems } : {}) }, text: [...text, ...told] }
}

/** `pathBytes` (base64) is there where the path is not valid UTF-8. */
function foundJson({ type, path, shown, folder, ...rest }: FoundEntry): Record<string, unknown> {
  const whole = wholePath({ folder, shown })
  return { type: 'found', kind: type, path: whole, ...exactBytes('pathBytes', path, whole), ...rest }
}

function wholePath({ folder, shown }: Pick<FoundEntry, 'folder' | 'shown'>): string {
  return folder === '' ? shown : `${folder}/${shown}`
}

function foundText(entry: FoundEntry): string {
  const { size, lastMs, snapshot, there, versions, type } = entry
  const state = there ? 'newest' : 'gone since'
  return `${(size === undefined ? '' : formatBytes(size)).padStart(10)}  ${formatTime(lastMs)}  ${state.padEnd(10)}  ${formatPlural(versions, 'version')}  ${snapshot}  ${wholePath(entry)}${type === 'directory' ? '/' : ''}`
}

function versionRow({ snapshot, firstMs, lastMs, size, mtimeMs, goneMs, type }: PathVersion): string[] {
  const note = [...(type === 'file' ? [] : [type]), ...(goneMs === undefined ? [] : [`gone in the snapshot of ${formatTime(goneMs)}`])].join(', ')
  return [snapshot, formatTime(firstMs), formatTime(lastMs), size === undefined ? '' : formatBytes(size), formatTime(mtimeMs), note]
}
