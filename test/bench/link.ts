import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { freshBucket } from '../servers/s3.ts'
import { SlowLink, type LinkShape } from '../servers/slow-link.ts'
import { capacityOf, useOf, type Direction, type LinkUse } from './link-shares.ts'
import { holdfastOnLink, resticOnLink, type LinkPlace, type LinkTool } from './link-tools.ts'
import { measure, type Measurement } from './measure.ts'
import { SeededRandom } from './random.ts'
import { standardPrograms } from './tools.ts'

const usage = `npm run bench:link -- [--megabytes 400,50] [--connections 1,2,4,8,16] [--directions up,down]
  [--delay 100] [--rate 5] [--total MB/s] [--tools holdfast,restic] [--peer NAME=PATH]… [--warm] [--work DIR]
How full a backup and a restore keep a slow link to S3 (Ceph's radosgw on loopback): random data, a round trip of --delay ms,
--rate MB/s for each connection and --total for all. For each second it prints the share of min(total, connections × rate) that
went over the link, and the mean from the third second to the last byte. Tools: holdfast (a fresh build of this clone), restic where
it is on the PATH, before: an older build of ours. --peer names a program (--peer restic=/opt/restic, --peer
before=/other/dist/engine/cli.js). --warm keeps what a tool remembers between runs.`

interface Plan {
  readonly sizes: readonly number[]
  readonly connections: readonly number[]
  readonly directions: readonly Direction[]
  readonly shape: LinkShape
  readonly tools: readonly LinkTool[]
  readonly warm: boolean
  readonly work: string
}

interface Row extends Measurement, LinkUse {
  readonly tool: string
  readonly megabytes: number
  readonly direction: Direction
  readonly connections: number
  /** Of an endless transfer that begins at once. */
  readonly idealSeconds: number
  /** Most lanes of ours that moved something in each second. */
  readonly lanes: readonly number[]
}

const fileMegabytes = 10

async function main(): Promise<void> {
  const plan = readPlan()
  const rows: Row[] = []
  try {
    for (const megabytes of plan.sizes) {
      const source = join(plan.work, `source-${megabytes}`)
      makeRandomFiles(source, megabytes)
      for (const connections of plan.connections) {
        for (const tool of plan.tools) rows.push(...await runTool(plan, tool, source, megabytes, connections))
      }
    }
  } finally {
    rmSync(plan.work, { recursive: true, force: true })
  }
  const table = [
    '| MB | direction | connections | tool | seconds (ideal) | share from the third second | lanes | CPU s | peak MB | others, cores |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows.map(tableRow),
  ].join('\n')
  mkdirSync('artifacts', { recursive: true })
  writeFileSync('artifacts/bench-link.md', `${table}\n`)
  console.log(table)
}

function readPlan(): Plan {
  const { values } = parseArgs({ options: {
    megabytes: { type: 'string', default: '400,50' }, connections: { type: 'string', default: '1,2,4,8,16' },
    directions: { type: 'string', default: 'up,down' }, delay: { type: 'string', default: '100' }, rate: { type: 'string', default: '5' },
    total: { type: 'string' }, tools: { type: 'string', default: 'holdfast,restic' }, peer: { type: 'string', multiple: true, default: [] },
    warm: { type: 'boolean', default: false }, work: { type: 'string' }, help: { type: 'boolean', default: false },
  } })
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  const peers = new Map(values.peer.map((peer) => [peer.slice(0, peer.indexOf('=')), peer.slice(peer.indexOf('=') + 1)]))
  const numbers = (text: string): number[] => text.split(',').map(Number)
  const base = values.work ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir())
  return {
    sizes: numbers(values.megabytes), connections: numbers(values.connections),
    directions: values.directions.split(',').filter((one): one is Direction => one === 'up' || one === 'down'),
    shape: {
      roundTripMs: Number(values.delay), bytesPerSecondPerConnection: Number(values.rate) * 1e6,
      ...(values.total === undefined ? {} : { bytesPerSecond: Number(values.total) * 1e6 }),
    },
    tools: values.tools.split(',').flatMap((name) => toolOf(name, peers)), warm: values.warm,
    work: mkdtempSync(join(base, 'holdfast-link-')),
  }
}

/** None where its program is not there. */
function toolOf(name: string, peers: ReadonlyMap<string, string>): LinkTool[] {
  if (name === 'holdfast') return [holdfastOnLink(name, peers.get(name) ?? freshBuild())]
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const program = peers.get(name) ?? folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
  if (program === undefined) return []
  return [name === 'before' ? holdfastOnLink(name, program) : resticOnLink(name, program)]
}

function freshBuild(): string {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' })
  return standardPrograms.holdfast
}

function makeRandomFiles(folder: string, megabytes: number): void {
  mkdirSync(folder, { recursive: true })
  const random = new SeededRandom(megabytes)
  for (let left = megabytes, number = 1; left > 0; left -= fileMegabytes, number++) {
    writeFileSync(join(folder, `photo-${number}.raw`), random.bytes(Math.min(left, fileMegabytes) * 1e6))
  }
}

async function runTool(plan: Plan, tool: LinkTool, source: string, megabytes: number, connections: number): Promise<Row[]> {
  const bucket = await freshBucket()
  await using link = await SlowLink.start(bucket.endpoint, plan.shape)
  const home = join(plan.work, plan.warm ? tool.name : `${tool.name}-${connections}`)
  const place: LinkPlace = { endpoint: link.endpoint, bucket: bucket.bucket, environment: bucket.environment, home }
  const target = join(plan.work, 'restored')
  const rows: Row[] = []
  await measure(tool.init(place))
  for (const direction of ['up', 'down'] as const) {
    if (direction === 'down' && !plan.directions.includes('down')) continue
    const beganMs = performance.timeOrigin + performance.now()
    const lanes: number[] = []
    const onLine = laneCounter(lanes, beganMs)
    const command = direction === 'up' ? tool.backup(place, source, connections)
      : tool.restore(place, target, connections)
    const measured = await measure({ ...command, onLine })
    // The last readings are on their way.
    await new Promise((resolve) => setTimeout(resolve, 200))
    const capacity = capacityOf(plan.shape, connections)
    const use = useOf(link.readings, direction, beganMs, capacity)
    const idealSeconds = (megabytes * 1e6) / capacity
    const row = { tool: tool.name, megabytes, direction, connections, idealSeconds, lanes, ...measured, ...use }
    if (plan.directions.includes(direction)) rows.push(row)
    tell(row)
    if (!plan.warm) rmSync(join(home, 'state'), { recursive: true, force: true })
  }
  rmSync(target, { recursive: true, force: true })
  if (!plan.warm) rmSync(home, { recursive: true, force: true })
  return rows
}

/** Reads our events: the most transfers at once in each second. */
function laneCounter(lanes: number[], beganMs: number): (line: string) => void {
  const open = new Set<number>()
  return (line) => {
    if (!line.startsWith('{"type":"transfer"')) return
    const { id, state } = JSON.parse(line) as { readonly id: number; readonly state: string }
    if (state === 'active') open.add(id)
    else open.delete(id)
    const second = Math.floor((performance.timeOrigin + performance.now() - beganMs) / 1000)
    while (lanes.length <= second) lanes.push(open.size)
    lanes[second] = Math.max(lanes[second] ?? 0, open.size)
  }
}

function tell({ megabytes, direction, connections, tool, wallSeconds, movedSeconds, later, shares, lanes }: Row): void {
  console.log(`${megabytes} MB ${direction.padEnd(4)} ${connections} × ${tool}: ${wallSeconds.toFixed(1)} s, last byte at ${movedSeconds.toFixed(1)}; `
    + `from the third second ${percent(later)}; each second ${shares.map(percent).join(' ')}; lanes ${lanes.join(' ')}`)
}

function tableRow({ megabytes, direction, connections, tool, ...row }: Row): string {
  const cells = [
    megabytes, direction, connections, tool, `${row.wallSeconds.toFixed(1)} (${row.idealSeconds.toFixed(1)})`, percent(row.later),
    Math.max(0, ...row.lanes), row.cpuSeconds.toFixed(1), row.peakMegabytes.toFixed(0), row.othersCores.toFixed(2),
  ]
  return `| ${cells.join(' | ')} |`
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${(share * 100).toFixed(0)} %`
}

await main()
