import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freshBucket } from '../servers/s3.ts'
import { SlowLink, type LinkShape } from '../servers/slow-link.ts'
import { capacityOf, useOf, type LinkUse } from './link-shares.ts'
import { measure, type Command, type Measurement } from './measure.ts'
import { SeededRandom } from './random.ts'
import { standardPrograms } from './tools.ts'

const usage = `npm run bench:sync -- [--megabytes 50] [--groups 4] [--parallel 1,2,4] [--connections 4] [--delay 100] [--rate 5] [--total MB/s] [--program CLI]
How full a sync keeps a slow link between S3 (Ceph's radosgw on loopback) and a folder: --groups jobs of --megabytes MB of random data, pushed there and
pulled back into another folder, --parallel of them at once, --connections transfers each. A round trip of --delay ms, --rate MB/s for each connection, --total for all.`

const million = 1_000_000
const fileMegabytes = 10
const passwords = { source: 'correct horse battery staple', copy: 'tulip gravel omen lamp' } as const

interface Plan {
  readonly megabytes: number
  readonly groups: number
  readonly parallel: readonly number[]
  readonly connections: number
  readonly shape: LinkShape
  readonly program: string
  readonly work: string
}

interface Row extends Measurement, LinkUse {
  readonly direction: 'push' | 'pull'
  readonly parallel: number
  /** Of an endless transfer over as many connections that begins at once. */
  readonly idealSeconds: number
}

async function main(): Promise<void> {
  const plan = readPlan()
  const rows: Row[] = []
  try {
    await makeSource(plan)
    for (const parallel of plan.parallel) rows.push(...await runOnce(plan, parallel))
  } finally {
    rmSync(plan.work, { recursive: true, force: true })
  }
  const table = [
    '| direction | groups at once | seconds (ideal) | share from the third second | CPU s | peak MB | others, cores |', '|---|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${[
      row.direction, row.parallel, `${row.wallSeconds.toFixed(1)} (${row.idealSeconds.toFixed(1)})`, percent(row.later), row.cpuSeconds.toFixed(1), row.peakMegabytes.toFixed(0), row.othersCores.toFixed(2),
    ].join(' | ')} |`),
  ].join('\n')
  mkdirSync('artifacts', { recursive: true })
  writeFileSync('artifacts/bench-sync.md', `${table}\n`)
  console.log(table)
}

function readPlan(): Plan {
  const { values } = parseArgs({ options: {
    megabytes: { type: 'string', default: '50' }, groups: { type: 'string', default: '4' }, parallel: { type: 'string', default: '1,2,4' },
    connections: { type: 'string', default: '4' }, delay: { type: 'string', default: '100' }, rate: { type: 'string', default: '5' }, total: { type: 'string' },
    program: { type: 'string' }, help: { type: 'boolean', default: false },
  } })
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  if (values.program === undefined) execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' })
  return {
    megabytes: Number(values.megabytes), groups: Number(values.groups), parallel: values.parallel.split(',').map(Number), connections: Number(values.connections),
    shape: {
      roundTripMs: Number(values.delay), bytesPerSecondPerConnection: Number(values.rate) * million,
      ...(values.total === undefined ? {} : { bytesPerSecond: Number(values.total) * million }),
    },
    program: values.program ?? standardPrograms.holdfast,
    work: mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-sync-')),
  }
}

function run({ program, work }: Plan, args: readonly string[], environment: Readonly<Record<string, string>>): Command {
  return { program: process.execPath, args: [program, ...args, '--json'], accept: [1], env: { HOLDFAST_HOME: join(work, 'home'), ...environment } }
}

/** A repository in a folder, with a group for each job. */
async function makeSource(plan: Plan): Promise<void> {
  const environment = { HOLDFAST_REPO: join(plan.work, 'source'), HOLDFAST_PASSWORD: passwords.source }
  await measure(run(plan, ['init'], environment))
  for (let group = 1; group <= plan.groups; group++) {
    const folder = join(plan.work, `files-${group}`)
    mkdirSync(folder)
    const random = new SeededRandom(group)
    for (let left = plan.megabytes, number = 1; left > 0; left -= fileMegabytes, number++) writeFileSync(join(folder, `photo-${number}.raw`), random.bytes(Math.min(left, fileMegabytes) * million))
    await measure(run(plan, ['backup', folder, '--job', `job-${group}`], environment))
    rmSync(folder, { recursive: true })
  }
}

async function runOnce(plan: Plan, parallel: number): Promise<Row[]> {
  const bucket = await freshBucket()
  await using link = await SlowLink.start(bucket.endpoint, plan.shape)
  const far = `s3://${bucket.bucket}/copy?endpoint=${encodeURIComponent(link.endpoint)}&region=us-east-1`
  const back = join(plan.work, `back-${parallel}`)
  const near = join(plan.work, 'source')
  await measure(run(plan, ['init', '--like', near], { ...bucket.environment, HOLDFAST_REPO: far, HOLDFAST_PASSWORD: passwords.copy, HOLDFAST_FROM_PASSWORD: passwords.source }))
  await measure(run(plan, ['init'], { HOLDFAST_REPO: back, HOLDFAST_PASSWORD: passwords.source }))
  const rows: Row[] = []
  for (const [direction, from, to] of [['push', near, far], ['pull', far, back]] as const) {
    const [ours, theirs] = direction === 'push' ? [passwords.copy, passwords.source] : [passwords.source, passwords.copy]
    const beganMs = performance.timeOrigin + performance.now()
    const words = ['sync', '--from', from, '--to', to, '--parallel-groups', String(parallel), '--concurrency', String(plan.connections)]
    const measured = await measure(run(plan, words, { ...bucket.environment, HOLDFAST_PASSWORD: ours, HOLDFAST_FROM_PASSWORD: theirs }))
    // The last readings are on their way.
    await new Promise((resolve) => setTimeout(resolve, 200))
    const capacity = capacityOf(plan.shape, parallel * plan.connections)
    const use = useOf(link.readings, direction === 'push' ? 'up' : 'down', beganMs, capacity)
    rows.push({ direction, parallel, idealSeconds: (plan.groups * plan.megabytes * million) / capacity, ...measured, ...use })
    console.log(`${direction} ${parallel} at once: ${measured.wallSeconds.toFixed(1)} s; from the third second ${percent(use.later)}; each second ${use.shares.map(percent).join(' ')}`)
  }
  rmSync(back, { recursive: true })
  return rows
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${(share * 100).toFixed(0)} %`
}

await main()
