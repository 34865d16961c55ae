import { execFile } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { SeededRandom } from '../../bench/random.ts'
import { testFolder } from '../small-repository.ts'
import { runCli, type CliResult } from './run-cli.ts'

const run = promisify(execFile)

it('serves a backup to rclone, which copies it whole, until Ctrl-C', async () => {
  await using folder = await testFolder()
  const source = join(folder.path, 'source')
  mkdirSync(join(source, 'inner', 'déjà vu'), { recursive: true })
  const random = new SeededRandom(9)
  writeFileSync(join(source, 'big'), random.bytes(12_000_000))
  writeFileSync(join(source, 'empty'), '')
  for (let at = 0; at < 300; at++) writeFileSync(join(source, 'inner', `file ${at}`), random.bytes(at * 10))
  for (const name of ['a & b', '"quoted"', '100%', 'a+b', 'c#d?e', '%41', 'ünï', '<x>', '\'', 'semi;colon']) writeFileSync(join(source, 'inner', 'déjà vu', name), name)
  expect((await runCli(['backup', source, '--job', 'job', '--host', 'tower'], { folder })).code).toBe(0)
  const whole = contentsOf(source)
  symlinkSync('big', join(source, 'link'))
  await runCli(['backup', source, '--job', 'job', '--host', 'tower'], { folder })
  const target = join(folder.path, 'target')
  const served = await serving(['serve', '--json'], folder)
  const { address, user, password } = served.door
  const { stdout: obscured } = await run('rclone', ['obscure', String(password)])
  const env = {
    PATH: process.env['PATH'], HOME: folder.path, RCLONE_CONFIG_H_TYPE: 'webdav', RCLONE_CONFIG_H_VENDOR: 'other', RCLONE_CONFIG_H_URL: String(address),
    RCLONE_CONFIG_H_USER: String(user), RCLONE_CONFIG_H_PASS: obscured.trim(),
  }
  await run('rclone', ['copy', 'H:', target], { env })
  const dates = readdirSync(join(target, 'tower job')).sort()
  expect(dates).toHaveLength(2)
  // The second has a link as well, which is not shown.
  for (const date of dates) expect(contentsOf(join(target, 'tower job', date, 'source'))).toEqual(whole)
  await run('rclone', ['check', '--download', `H:tower job/${dates[0] ?? ''}/source`, source, '--one-way'], { env })
  await expect(run('rclone', ['touch', 'H:tower job/new', '--retries', '1', '--low-level-retries', '1'], { env })).rejects.toThrow()
  served.child.kill('SIGINT')
  const { code, events, stderr } = await served.ended
  expect([code, events.at(-1)]).toEqual([0, expect.objectContaining({ type: 'summary', operation: 'serve', outcome: 'success' })])
  expect(stderr + JSON.stringify(events.slice(1))).not.toContain(String(password))
}, 60_000)

/** Of each file its time and a hash, by its path. */
function contentsOf(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort().map((path) => [path, join(folder, path)] as const)
  const files = paths.filter(([, path]) => statSync(path).isFile())
  return Object.fromEntries(files.map(([name, path]) => [name, `${Math.floor(statSync(path).mtimeMs / 1000)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`]))
}

interface Serving {
  readonly child: ChildProcess
  readonly door: Readonly<Record<string, unknown>>
  readonly ended: Promise<CliResult>
}

function serving(args: readonly string[], folder: Awaited<ReturnType<typeof testFolder>>): Promise<Serving> {
  return new Promise((resolve, reject) => {
    const ended = runCli(args, {
      folder,
      onOutput: (child, text) => {
        const line = text.split('\n').find((one) => one.includes('"type":"serving"'))
        if (line !== undefined) resolve({ child, door: JSON.parse(line) as Readonly<Record<string, unknown>>, ended })
      },
    })
    void ended.then(({ stdout, stderr }) => { reject(new Error(`${stdout}${stderr}`)) })
  })
}
