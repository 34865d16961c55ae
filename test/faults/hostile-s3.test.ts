import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HostileS3, type Exchange, type Lie } from '../servers/hostile-s3.ts'
import { banners, lies } from '../servers/lies.ts'
import { Victim, type CommandName, type Measured } from './measured.ts'

/** Every lie against the commands that meet it, each a real process: bounded in memory and time, and ended with words. */
const mostBytes = 400 * 2 ** 20
const mostMs = 60_000
const lanes = 10

interface Case {
  readonly name: string
  readonly command: CommandName
  readonly lie?: Lie
  readonly banner?: Buffer
}

/** Told from the first request on. */
const early: readonly CommandName[] = ['snapshots']
/** Told once the repository is open, by the lists, the packs, the snapshots: to a writer and a reader, in turn. */
const late: readonly (readonly CommandName[])[] = [['backup', 'restore'], ['prune', 'check']]
/** Of what a command stores. */
const puts: readonly CommandName[] = ['backup', 'init', 'test']

const afterOpening = (lie: Lie): Lie => (exchange) => (isOpening(exchange) ? exchange.honest() : lie(exchange))

function isOpening({ type, key }: Exchange): boolean {
  return type === 'put' || key === 'config' || key.startsWith('keys/')
}

const putLies: readonly string[] = ['no answer to a put', 'a put that is read at one byte in five seconds', 'puts that are acknowledged and not stored', 'a wrong ETag']

const cases: readonly Case[] = [
  ...Object.entries(lies).flatMap(([name, lie], index): readonly Case[] => (putLies.includes(name)
    ? puts.map((command) => ({ name, command, lie }))
    : [...early.map((command) => ({ name, command, lie })), ...(late[index % 2] ?? []).map((command) => ({ name: `${name}, after opening`, command, lie: afterOpening(lie) }))])),
  ...Object.entries(banners).map(([name, banner]): Case => ({ name, command: 'snapshots', banner })),
]

interface Row extends Case {
  readonly measured: Measured
  readonly requests: number
}

let victim: Victim
const rows: Row[] = []

async function runAll(): Promise<void> {
  const waiting = [...cases]
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await using server = await HostileS3.start(victim.objects, next.lie, next.banner)
      rows.push({ ...next, measured: await victim.run(next.command, server.url), requests: server.requests.length })
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

beforeAll(async () => { victim = await Victim.make() })

afterAll(() => { victim[Symbol.dispose]() })

test('every lie ends within 60 s and 400 MB, with an exit code and words of its own', { timeout: 900_000 }, async () => {
  await runAll()
  const shown = rows.map(({ name, command, measured: { code, ms, peakBytes }, requests }) => [command, name, code, `${(ms / 1000).toFixed(1)} s`, `${(peakBytes / 2 ** 20).toFixed(0)} MB`, requests].join(' | '))
  const folder = join(import.meta.dirname, '../../artifacts')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'hostile-s3.txt'), shown.toSorted().join('\n'))
  const wrong = rows.flatMap(({ name, command, measured }) => faultsOf(measured).map((fault) => `${command} | ${name}: ${fault}`))
  expect(wrong).toEqual([])
  expect(rows).toHaveLength(cases.length)
})

function faultsOf({ code, text, ms, peakBytes }: Measured): string[] {
  return [
    ...(ms > mostMs ? [`took ${Math.round(ms / 1000)} s`] : []),
    ...(peakBytes > mostBytes ? [`took ${Math.round(peakBytes / 2 ** 20)} MB`] : []),
    ...(code === null || ![0, 1, 2, 50, 100].includes(code) ? [`ended with ${code}: ${text.slice(-300)}`] : []),
    ...(/defect of Holdfast|"code":"internal"|Uncaught/.test(text.replace(/"cause":.*/s, '')) ? [`blames Holdfast: ${text.slice(-300)}`] : []),
    ...(code !== 0 && code !== 1 && !/holdfast: .{20}|"message":".{20}|warning/.test(text) ? [`has no words: ${text}`] : []),
    // eslint-disable-next-line no-control-regex -- that none is there is the point
    ...(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(text) ? ['prints control characters'] : []),
  ]
}
