import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fixedCredentials } from '../../../engine/backend/credentials.ts'
import { openBackend } from '../../../engine/backend/open.ts'
import { createLog } from '../../../engine/base/log.ts'
import { runJob } from '../../../engine/commands/run.ts'
import type { RestoreJob } from '../../../engine/protocol/job.ts'
import { systemRandom } from '../../../engine/repository/crypto.ts'
import { retirePacks } from '../../../engine/repository/protocol/retired.ts'
import { openRepository } from '../../../engine/repository/repository.ts'
import { password, testFolder } from '../small-repository.ts'
import type { TestFolder } from '../small-repository.ts'
import { backUp, restoreJob, testContext } from './run-support.ts'
import { treeState } from './tree-state.ts'

type Harm = (pack: string) => void

const harms: readonly (readonly [string, Harm])[] = [
  ['is gone', (pack) => { rmSync(pack) }],
  ['is cut off', (pack) => { truncateSync(pack, 100) }],
  ['has wrong bits', (pack) => { flipBits(pack) }],
]

/** One wrong bit in each 64 KiB: in every segment, large or small. */
function flipBits(pack: string): void {
  const bytes = readFileSync(pack)
  for (let at = 60; at < bytes.length; at += at < 4000 ? 200 : 65_536) bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(pack, bytes)
}

function packsIn(repository: string): string[] {
  return readdirSync(join(repository, 'packs'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

function harmAll(packs: readonly string[], harm: Harm): void {
  for (const pack of packs) {
    chmodSync(pack, 0o600)
    harm(pack)
  }
}

function fillSource(source: string): void {
  mkdirSync(join(source, 'inner'), { recursive: true })
  writeFileSync(join(source, 'big'), randomBytes(5_000_000))
  for (let index = 0; index < 50; index++) writeFileSync(join(source, 'inner', `file ${String(index)}`), `content ${String(index)}`)
}

/** A repository in which every blob is in two packs: two machines backed the same source up, and neither saw the other's packs. */
async function twoCopies() {
  const folder = await testFolder()
  const source = join(folder.path, 'source')
  fillSource(source)
  const other: TestFolder = { ...folder, repository: join(folder.path, 'other'), home: join(folder.path, 'other-home') }
  cpSync(folder.repository, other.repository, { recursive: true })
  await backUp(folder, source, 'first')
  await backUp(other, source, 'second')
  const first = packsIn(folder.repository)
  cpSync(other.repository, folder.repository, { recursive: true, force: false, errorOnExist: false })
  const second = packsIn(folder.repository).filter((pack) => !first.includes(pack))
  return { folder, source, first, second }
}

async function restoreWithLog(folder: TestFolder, target: string, options: Partial<RestoreJob> = {}) {
  const warnings: string[] = []
  const log = createLog((line) => { if (line.level === 'warning') warnings.push(line.message) }, () => 0)
  const summary = await runJob(restoreJob(folder, target, options), { ...testContext(), log })
  return { summary, warnings }
}

async function retire({ repository }: TestFolder, packs: readonly string[]): Promise<void> {
  const signal = new AbortController().signal
  await using backend = await openBackend(repository, { credentials: fixedCredentials({}), signal })
  await retirePacks(await openRepository(backend, password, signal), packs.map((pack) => basename(pack)), systemRandom, signal)
}

describe('restore looks for other copies', () => {
  it.each(harms)('when every pack of one copy %s', async (_what, harm) => {
    const { folder, source, first, second } = await twoCopies()
    await using _ = folder
    const intact = join(folder.path, 'intact')
    cpSync(folder.repository, intact, { recursive: true })
    const warnings: string[] = []
    for (const harmed of [first, second]) {
      const target = join(folder.path, `target-${String(warnings.length)}-${harmed === first ? 'first' : 'second'}`)
      harmAll(harmed, harm)
      for (const snapshot of ['latest:first', 'latest:second']) {
        const result = await restoreWithLog(folder, join(target, snapshot), { snapshot })
        expect(result.summary).toMatchObject({ outcome: 'success', problems: 0 })
        expect(treeState(join(target, snapshot, 'source'))).toEqual(treeState(source))
        warnings.push(...result.warnings)
      }
      rmSync(folder.repository, { recursive: true })
      cpSync(intact, folder.repository, { recursive: true })
    }
    // One of the two copies is the one that is read first.
    expect(warnings.join('\n')).toMatch(/what pack [0-9a-f]{32} holds is looked for in other packs/)
  }, 60_000)

  it.each(['first', 'second'] as const)('and at first where no retire record names the pack: the %s copy is retired', async (which) => {
    const copies = await twoCopies()
    const { folder, source } = copies
    await using _ = folder
    await retire(folder, copies[which])
    harmAll(copies[which], flipBits)
    const target = join(folder.path, 'target')
    const { summary, warnings } = await restoreWithLog(folder, target, { snapshot: 'latest:first' })
    expect(summary).toMatchObject({ outcome: 'success', problems: 0 })
    expect(treeState(join(target, 'source'))).toEqual(treeState(source))
    expect(warnings.filter((line) => line.includes('looked for'))).toEqual([])
  })

  it('when every index object is gone', async () => {
    await using folder = await testFolder()
    const source = join(folder.path, 'source')
    fillSource(source)
    await backUp(folder, source)
    rmSync(join(folder.repository, 'index'), { recursive: true })
    const target = join(folder.path, 'target')
    const { summary, warnings } = await restoreWithLog({ ...folder, home: join(folder.path, 'new home') }, target)
    expect(summary).toMatchObject({ outcome: 'success', problems: 0 })
    expect(treeState(join(target, 'source'))).toEqual(treeState(source))
    expect(warnings).toEqual([expect.stringContaining('own tables')])
  })

  it('and says what is lost when there is none', async () => {
    const { folder, first, second } = await twoCopies()
    await using _ = folder
    const largest = (packs: readonly string[]): string[] => packs.filter((pack) => readFileSync(pack).length > 1_000_000)
    harmAll([...largest(first), ...largest(second)], (pack) => { rmSync(pack) })
    const { summary } = await restoreWithLog(folder, join(folder.path, 'target'), { snapshot: 'latest:first' })
    expect(summary.outcome).toBe('warnings')
    expect(summary.firstProblems.find(({ path }) => path === 'source/big')).toMatchObject({ code: 'damaged', message: expect.stringMatching(/pack [0-9a-f]{32} is missing/) as unknown })
    expect(readdirSync(join(folder.path, 'target', 'source')).filter((name) => name.endsWith('.part'))).toEqual([])
  })
})

describe('what arrives damaged', () => {
  it('is fetched once more before it is called damaged', async () => {
    await using folder = await testFolder()
    const source = join(folder.path, 'source')
    fillSource(source)
    await backUp(folder, source, 'photos')
    const target = join(folder.path, 'target')
    // Two of the replies have a wrong bit on the way: of folders, or of files.
    const repository = `faulty+file://${folder.repository}?fault.seed=3&fault.rule=get,flip,prefix=packs/,times=1&fault.rule=get,flip,prefix=packs/,skip=2,times=1`
    const { summary, warnings } = await restoreWithLog(folder, target, { repository })
    expect(summary).toMatchObject({ outcome: 'success', problems: 0 })
    expect(warnings.filter((line) => line.includes('looked for'))).toEqual([])
    expect(treeState(join(target, 'source'))).toEqual(treeState(source))
  })
})
