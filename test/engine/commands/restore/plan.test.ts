import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromBytes, fromText, toText } from '../../../../engine/base/byte-string.ts'
import { openBrowser, type Browser } from '../../../../engine/commands/browse.ts'
import { besideLabel, besideName } from '../../../../engine/commands/restore/beside.ts'
import { runJob } from '../../../../engine/commands/run.ts'
import { fateOf, overwriteRules, type PlannedEntry, type PlanClass, type PlanFate, type PlanTotals } from '../../../../engine/protocol/restore-rules.ts'
import { testFolder, type TestFolder } from '../../small-repository.ts'
import { backUp, restoreJob, testContext } from '../run-support.ts'

let folder: TestFolder
let browser: Browser
let label: string

const backedUpAt = new Date('2026-03-01T12:00:00Z')
const before = new Date('2025-01-01T00:00:00Z')
const after = new Date('2026-06-01T00:00:00Z')

/** What stands in the place of each entry of the backup, by the name of its class. */
const entries: Readonly<Record<string, PlanClass>> = {
  'a/new é': 'new', 'a/same': 'same', 'a/older.txt': 'older', 'a/newer.txt': 'newer', 'a/other': 'other', 'a/folder': 'folder', 'a/blocked': 'blocked',
  'a/blocked/in it': 'below', 'a/blocked/deeper/too': 'below', 'a/link same': 'same', 'a/link newer': 'newer', 'fresh/new': 'new', 'z/older': 'older',
}

function put(path: string, text: string, at: Date): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  utimesSync(path, at, at)
}

beforeAll(async () => {
  folder = await testFolder()
  const source = join(folder.path, 'source')
  for (const [name, of] of Object.entries(entries)) {
    if (name.includes('link')) continue
    if (of !== 'blocked') put(join(source, name), `from the backup: ${name}`, backedUpAt)
  }
  symlinkSync('same', join(source, 'a', 'link same'))
  symlinkSync('theirs', join(source, 'a', 'link newer'))
  label = besideLabel((await backUp(folder, source)).finishedMs)
  const there = target('there')
  for (const [name, of] of Object.entries(entries)) {
    const path = join(there, name)
    if (of === 'older') put(path, 'mine', before)
    if (of === 'newer' && !name.includes('link')) put(path, 'mine', after)
    if (of === 'same' && !name.includes('link')) put(path, `from the backup: ${name}`, backedUpAt)
    if (of === 'blocked') put(path, 'mine', before)
  }
  symlinkSync('mine', join(there, 'a', 'other'))
  put(join(there, 'a', 'folder', 'inside'), 'mine', before)
  // A link gets the time of its making, which is later than that of the backup's, unless it is copied with it.
  await runJob(restoreJob(folder, join(folder.path, 'there'), { paths: [Buffer.from('source/a/link same')] }), testContext())
  symlinkSync('mine', join(there, 'a', 'link newer'))
  browser = await openBrowser({ type: 'browse', repository: folder.repository, home: folder.home, concurrency: 2 }, testContext())
})

afterAll(async () => {
  await browser[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

function target(name: string): string {
  return join(folder.path, name, 'source')
}

function keyOf(path: Uint8Array): string {
  return toText(fromBytes(path)).replace(/^source\//, '')
}

async function pages(name: string, limit: number): Promise<{ readonly entries: PlannedEntry[]; readonly totals: PlanTotals[] }> {
  const found: PlannedEntry[] = []
  const totals: PlanTotals[] = []
  let next: Uint8Array | undefined
  do {
    const page = await browser.planPage({ snapshot: 'latest', paths: [], target: join(folder.path, name), limit, ...(next && { after: next }) })
    found.push(...page.entries)
    totals.push(page.totals)
    next = page.next
  } while (next)
  return { entries: found, totals }
}

const counted = (of: PlanClass) => Object.values(entries).filter((one) => one === of).length

describe('what a restore would do', () => {
  it('is told before, entry by entry and in sums, and nothing is changed by it', async () => {
    const { entries: told, totals: [totals] } = await pages('there', 1000)
    expect(Object.fromEntries(told.map(({ path, of }) => [keyOf(path), of]))).toEqual(
      Object.fromEntries(Object.entries(entries).filter(([, of]) => !['new', 'same', 'below'].includes(of))))
    for (const of of ['new', 'same', 'older', 'newer', 'other', 'folder', 'blocked', 'below'] as const) expect(totals?.[of].entries, of).toBe(counted(of))
    expect(totals?.older.bytes).toBe(`from the backup: a/older.txt`.length + `from the backup: z/older`.length)
    expect(told.find(({ shown }) => shown === 'newer.txt')).toMatchObject({ folder: 'source/a', mtimeMs: backedUpAt.getTime(), there: { size: 4, mtimeMs: after.getTime() } })
    expect(existsSync(join(target('there'), 'fresh'))).toBe(false)
  })

  it.each([1, 2, 3])('comes in pages of %s that together are the whole', async (limit) => {
    const [whole, paged] = [await pages('there', 1000), await pages('there', limit)]
    expect(paged.totals.length).toBeGreaterThan(2)
    expect(paged.entries).toEqual(whole.entries)
    for (const of of Object.keys(whole.totals[0] ?? {}) as PlanClass[]) expect(paged.totals.reduce((sum, one) => sum + one[of].entries, 0), of).toBe(whole.totals[0]?.[of].entries)
  })

  it('is all new where the folder is not there, and it is not made', async () => {
    const { entries: told, totals: [totals] } = await pages('nowhere', 10)
    expect([told, totals?.new.entries]).toEqual([[], Object.keys(entries).length - 1])
    expect(existsSync(join(folder.path, 'nowhere'))).toBe(false)
  })

  it('is of a part where a part is chosen', async () => {
    const part = { snapshot: 'latest', paths: [Buffer.from('source/a')], except: [Buffer.from('source/a/newer.txt')], target: join(folder.path, 'there'), limit: 1000 }
    const { totals } = await browser.planPage(part)
    expect([totals.older.entries, totals.newer.entries, totals.new.entries]).toEqual([1, 1, 1])
  })

  it('does not go through links that stand in the place of folders', async () => {
    mkdirSync(target('linked'), { recursive: true })
    symlinkSync(join(target('there'), 'a'), join(target('linked'), 'a'))
    const { entries: told } = await pages('linked', 10)
    expect(told.map(({ path, of }) => [keyOf(path), of])).toEqual([['a', 'blocked']])
  })

  it.each(overwriteRules)('is what it does: %s', async (overwrite) => {
    const copy = `copy ${overwrite}`
    cpSync(target('there'), target(copy), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
    rmSync(join(target(copy), 'a', 'link same'))
    await runJob(restoreJob(folder, join(folder.path, copy), { paths: [Buffer.from('source/a/link same')] }), testContext())
    const planned: [string, PlanClass][] = []
    for await (const { path, of, node } of browser.plan({ snapshot: 'latest', paths: [] }, join(folder.path, copy))) {
      if (node.type !== 'directory') planned.push([keyOf(Buffer.from(path, 'latin1')), of])
    }
    expect(planned.sort()).toEqual(Object.entries(entries).filter(([, of]) => of !== 'blocked').sort())
    await runJob(restoreJob(folder, join(folder.path, copy), { overwrite }), testContext())
    for (const [name, of] of Object.entries(entries)) if (of !== 'blocked') expect(stateOf(copy, name), `${name}: ${of}`).toMatch(expected(fateOf(overwrite, of), name, of))
  })
})

/** What a path holds now, and what is beside it. */
function stateOf(at: string, name: string): string {
  const path = join(target(at), name)
  const beside = join(dirname(path), toText(besideName(fromText(name.split('/').at(-1) ?? ''), label, 1)))
  return `${holds(path)}${holds(beside) === 'nothing' ? '' : ' beside'}`
}

function holds(path: string): 'theirs' | 'mine' | 'nothing' {
  try {
    const stats = lstatSync(path)
    if (stats.isDirectory()) return 'mine'
    const text = stats.isSymbolicLink() ? readlinkSync(path) : readFileSync(path, 'utf8')
    return text === 'mine' ? 'mine' : 'theirs'
  } catch {
    return 'nothing'
  }
}

function expected(fate: PlanFate, name: string, of: PlanClass): RegExp {
  if (fate === 'beside') return /^mine beside$/
  if (fate === 'kept') return of === 'same' ? /^theirs$/ : /^mine$/
  if (fate === 'refused') return of === 'below' ? /^nothing$/ : /^mine$/
  return name === '' ? /^$/ : /^theirs$/
}
