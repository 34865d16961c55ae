import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { crc32 } from 'node:zlib'
import type { StorageBackend } from '../../engine/backend/backend.ts'
import { fixedCredentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import { destinationPlaces, type DestinationPlace } from '../servers/destinations.ts'
import { SlowLink } from '../servers/slow-link.ts'
import { SeededRandom } from './random.ts'

const usage = `npm run bench:destinations -- [--only s3,sftp] [--delay 40] [--rate 5] [--megabytes 8] [--objects 4]
How much of a slow link (--delay ms there and back, --rate MB/s for each connection) each destination's backend uses, bare, with 1, 2 and 4
transfers at a time and with as many as it bears: --objects objects of --megabytes MB for each, up and down. The ideal is
transfers × rate. The servers are those of the tests: real ones, or stand-ins for services.`

interface Row {
  readonly provider: string
  readonly atOnce: number
  readonly up: number
  readonly down: number
}

interface Plan {
  readonly delayMs: number
  readonly rate: number
  readonly bytes: number
  readonly objects: number
}

const never = new AbortController().signal
const million = 1_000_000

async function main(): Promise<void> {
  const { values } = parseArgs({ options: {
    only: { type: 'string' }, delay: { type: 'string', default: '40' }, rate: { type: 'string', default: '5' },
    megabytes: { type: 'string', default: '8' }, objects: { type: 'string', default: '4' }, help: { type: 'boolean', default: false },
  } })
  if (values.help) {
    console.log(usage)
    return
  }
  const plan = { delayMs: Number(values.delay), rate: Number(values.rate) * million, bytes: Number(values.megabytes) * million, objects: Number(values.objects) }
  const rows: Row[] = []
  for (const [provider, make] of Object.entries(destinationPlaces)) {
    if (values.only !== undefined && !values.only.split(',').includes(provider)) continue
    await using place = await make()
    rows.push(...await rowsOf(provider, place, plan))
  }
  const percent = (bytesPerSecond: number, atOnce: number): string => `${(bytesPerSecond / million).toFixed(1)} (${Math.round((100 * bytesPerSecond) / (atOnce * plan.rate))} %)`
  const table = [
    '| destination | at once | up MB/s (of the link) | down MB/s (of the link) |', '|---|---|---|---|',
    ...rows.map(({ provider, atOnce, up, down }) => `| ${provider} | ${atOnce} | ${percent(up, atOnce)} | ${percent(down, atOnce)} |`),
  ].join('\n')
  mkdirSync('artifacts', { recursive: true })
  writeFileSync('artifacts/bench-destinations.md', `${table}\n`)
  console.log(table)
}

async function rowsOf(provider: string, place: DestinationPlace, plan: Plan): Promise<Row[]> {
  await using link = await SlowLink.start(place.origin, { roundTripMs: plan.delayMs, bytesPerSecondPerConnection: plan.rate })
  Object.assign(process.env, place.environment(link.endpoint))
  await using backend = await openBackend(place.address(link.endpoint), { credentials: fixedCredentials(place.credentials), signal: never, create: true })
  const rows: Row[] = []
  for (const atOnce of new Set([1, 2, 4, backend.traits.maxConnections].filter((count) => count <= backend.traits.maxConnections))) {
    rows.push({ provider, atOnce, ...await speeds(backend, `${atOnce}`, atOnce, plan) })
    console.log(JSON.stringify(rows.at(-1)))
  }
  return rows
}

async function speeds(backend: StorageBackend, folder: string, atOnce: number, { bytes, objects }: Plan): Promise<Pick<Row, 'up' | 'down'>> {
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  try {
    const content = new SeededRandom(atOnce).bytes(bytes)
    const body = { type: 'file', path: join(scratch, 'pack'), size: bytes, crc32: crc32(content) } as const
    writeFileSync(body.path, content)
    const names = Array.from({ length: atOnce * objects }, (_, index) => `packs/${folder}/${index}`)
    // Connections stand, folders are there.
    await lanes(names, atOnce, (name) => backend.put(name.replace('packs', 'first'), { type: 'bytes', bytes: content.subarray(0, 1000) }, {}, never))
    const up = await timed(() => lanes(names, atOnce, (name) => backend.put(name, body, { once: true }, never)))
    const down = await timed(() => lanes(names, atOnce, async (name) => { await backend.get(name, 'all', never) }))
    return { up: (names.length * bytes) / up, down: (names.length * bytes) / down }
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

async function lanes<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  await Promise.all(Array.from({ length: atOnce }, async () => { for (const item of queue) await work(item) }))
}

await main()
