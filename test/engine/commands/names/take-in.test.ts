import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { makePrivateFolder } from '../../../../engine/base/private-folder.ts'
import type { Database } from '../../../../engine/catalog/database.ts'
import { openNames } from '../../../../engine/catalog/names/database.ts'
import { fold, foldQuery, spellings } from '../../../../engine/catalog/names/fold.ts'
import { NameLedger } from '../../../../engine/catalog/names/ledger.ts'
import { NameSearch } from '../../../../engine/catalog/names/search.ts'
import { sweepNames, takeIn, type SnapshotToTake } from '../../../../engine/commands/names/take-in.ts'
import type { FoundEntry } from '../../../../engine/protocol/messages.ts'
import { MadeTrees, type MadeFolder } from './made-trees.ts'

const { signal } = new AbortController()
const turn = (): Promise<void> => Promise.resolve()

let home: string
let database: Database
let trees: MadeTrees

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'holdfast-names-'))
  makePrivateFolder(join(home, 'catalogs'))
  database = openNames(home, 'r')
  trees = new MadeTrees()
})

afterEach(() => {
  database.close()
  rmSync(home, { recursive: true, force: true })
})

function snapshot(revision: number, folder: MadeFolder, options: { readonly job?: string; readonly host?: string } = {}): SnapshotToTake {
  const { job = 'docs', host = 'h' } = options
  return { jobKey: `key of ${job}`, host, job, revision, id: `${job}@${revision}`, finishedMs: revision * 1000, root: trees.folder(folder) }
}

async function take(snapshots: readonly SnapshotToTake[], mostVersions = 1_000_000): Promise<boolean> {
  return takeIn(database, trees.load, snapshots, { mostVersions, signal })
}

async function forget(existing: readonly SnapshotToTake[]): Promise<void> {
  const ledger = new NameLedger(database)
  if (ledger.keepOnly(existing)) await sweepNames(ledger, signal)
}

async function find(text: string, limit = 1000): Promise<FoundEntry[]> {
  const search = new NameSearch(database)
  const all: FoundEntry[] = []
  for (let after: string | undefined; ;) {
    const { entries, next } = await search.search({ text, limit, ...(after === undefined ? {} : { after }) }, turn)
    all.push(...entries)
    if (next === undefined) return all
    after = next
  }
}

async function paths(text: string, limit?: number): Promise<string[]> {
  return (await find(text, limit)).map(({ path }) => Buffer.from(path).toString('latin1')).sort()
}

function versionsOf(path: string, { jobKey, host } = { jobKey: 'key of docs', host: 'h' }): (readonly [string, number, number, number | undefined])[] {
  return new NameSearch(database).versions({ jobKey, host }, Buffer.from(path, 'latin1')).map((one) => [one.snapshot, one.snapshots, one.size ?? -1, one.goneMs])
}

function tableSizes(): Record<string, number> {
  return Object.fromEntries(['versions', 'names', 'folders', 'snapshots', 'lines'].map((table) => [table, database.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0]))
}

test('names fold: case, accents and compatible forms are alike, letters of their own are not', () => {
  expect(['Übergröße.TXT', 'ﬁle', 'ＡＢＣ', 'café', 'Œuvre'].map(fold)).toEqual(['ubergroße.txt', 'file', 'abc', 'cafe', 'œuvre'])
  expect(foldQuery('  Tax "2024" ')).toEqual({ words: ['tax', '"2024"'], match: '"tax" AND """20" AND "202" AND "024" AND "24"""' })
  expect(foldQuery('ab').match).toBe('')
  expect(spellings('aB').map((one) => Buffer.from(one).toString())).toEqual(['AB', 'Ab', 'aB', 'ab'])
})

test('parts of names are found in all snapshots, whatever their case and accents; short texts find beginnings', async () => {
  const cafe = Buffer.from('Café.txt').toString('latin1')
  await take([
    snapshot(1, { Documents: { 'Tax Report 2023.pdf': 'a', 'old report.txt': 'x', [cafe]: 'c' }, 'caf\xe9 latin': 'l' }),
    snapshot(2, { Documents: { 'Tax Report 2023.pdf': 'b', [cafe]: 'c', 'Reports': { 'r1': '' } }, 'caf\xe9 latin': 'l' }),
  ])
  expect(await paths('report')).toEqual(['Documents/Reports', 'Documents/Tax Report 2023.pdf', 'Documents/old report.txt'])
  expect(await paths('2023 TAX')).toEqual(['Documents/Tax Report 2023.pdf'])
  expect(await paths('tax ab')).toEqual([])
  expect(await paths('cafe')).toEqual([`Documents/${cafe}`, 'caf\xe9 latin'])
  expect(await paths('R')).toEqual(['Documents/Reports', 'Documents/Reports/r1'])
  expect(await paths('re')).toEqual(['Documents/Reports'])
  expect(await paths('   ')).toEqual([])
  const [gone] = await find('old report')
  expect(gone).toMatchObject({ snapshot: 'docs@1', job: 'docs', host: 'h', shown: 'old report.txt', folder: 'Documents', type: 'file', size: 1, versions: 1, lastMs: 1000, there: false })
  expect((await find('tax'))[0]).toMatchObject({ snapshot: 'docs@2', versions: 2, there: true })
})

test('a path’s versions: changed, gone, back again, turned into a folder; the newest first', async () => {
  const link = '->x'
  await take([
    snapshot(1, { d: { f: 'one' } }), snapshot(2, { d: { f: 'one', other: '' } }), snapshot(3, { d: { f: 'other' } }), snapshot(4, { d: {} }), snapshot(5, { d: { f: 'one' } }),
    snapshot(6, { d: { f: { inner: 'deep' } } }), snapshot(7, { d: { f: link } }), snapshot(8, {}),
  ])
  expect(versionsOf('d/f')).toEqual([['docs@7', 1, -1, 8000], ['docs@6', 1, -1, undefined], ['docs@5', 1, 3, undefined], ['docs@3', 1, 5, 4000], ['docs@2', 2, 3, undefined]])
  expect(versionsOf('d/f/inner')).toEqual([['docs@6', 1, 4, 7000]])
  expect(versionsOf('d')).toEqual([['docs@7', 7, -1, 8000]])
  expect(versionsOf('nothing/here')).toEqual([])
  expect(versionsOf('')).toEqual([])
})

test('what does not change costs nothing: only new trees are loaded', async () => {
  const big = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`folder ${index}`, { a: String(index) }]))
  await take([snapshot(1, { home: big })])
  trees.loads = 0
  const rows = tableSizes()['versions'] ?? 0
  await take([snapshot(2, { home: { ...big, 'folder 7': { a: 'changed' } } })])
  expect([trees.loads, (tableSizes()['versions'] ?? 0) - rows]).toEqual([3, 1])
  await take([snapshot(1, { home: big }), snapshot(2, { home: big })])
  expect(trees.loads).toBe(3)
})

test('snapshots that are gone vanish from what is found, and what only they had from the index', async () => {
  const [one, two, three] = [snapshot(1, { a: { secret: 'x', kept: '1' } }), snapshot(2, { a: { kept: '2' }, b: { passing: '' } }), snapshot(3, { a: { kept: '3' } })]
  await take([one, two, three])
  await forget([two, three])
  expect([await paths('secret'), await paths('kept'), versionsOf('a/kept').map(([id]) => id)]).toEqual([[], ['a/kept'], ['docs@3', 'docs@2']])
  await forget([three])
  expect([await paths('passing'), versionsOf('a/kept')]).toEqual([[], [['docs@3', 1, 1, undefined]]])
  expect(tableSizes()).toEqual({ versions: 2, names: 2, folders: 2, snapshots: 1, lines: 1 })
  await forget([])
  expect(tableSizes()).toEqual({ versions: 0, names: 0, folders: 0, snapshots: 0, lines: 0 })
  expect(new NameLedger(database).versions).toBe(0)
  // Trigrams of names that are gone are gone as well.
  expect(database.prepare('SELECT rowid FROM trigrams WHERE trigrams MATCH ?').all('"sec"')).toEqual([])
})

test('a full index gives up the oldest snapshots, and says what it lacks', async () => {
  const files = (revision: number): MadeFolder => Object.fromEntries(Array.from({ length: 1200 }, (_, index) => [`file ${index}`, `${revision} ${index}`]))
  const all = [1, 2, 3, 4].map((revision) => snapshot(revision, { d: files(revision) }))
  expect(await take(all, 3000)).toBe(true)
  const ledger = new NameLedger(database)
  expect(ledger.versions).toBeLessThan(3600)
  expect(ledger.versions).toBe(tableSizes()['versions'])
  expect(ledger.countMissing(all)).toBe(2)
  expect(versionsOf('d/file 7').map(([id]) => id)).toEqual(['docs@4', 'docs@3'])
  expect(ledger.missing(all)).toEqual([])
  expect(await take([...all, snapshot(1, files(9), { job: 'other' })], 1000)).toBe(false)
})

test('broken off, it goes on where it was, and finds nothing of what is not whole', async () => {
  const files = (text: string): MadeFolder => Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`entry ${index}`, text]))
  const [one, two] = [snapshot(1, { a: files('1') }), snapshot(2, { a: files('2'), b: files('2') })]
  await take([one])
  const control = new AbortController()
  const load: typeof trees.load = (id) => {
    if (trees.loads > 0) control.abort()
    return trees.load(id)
  }
  trees.loads = 0
  await expect(takeIn(database, load, [two], { mostVersions: 100_000, signal: control.signal })).rejects.toMatchObject({ code: 'aborted' })
  expect(tableSizes()['versions']).toBeGreaterThan(2001)
  expect(await paths('entry 1999')).toEqual(['a/entry 1999'])
  expect((await find('entry 7')).every(({ snapshot: id, there }) => id === 'docs@1' && there)).toBe(true)
  await take([one, two])
  expect(versionsOf('a/entry 5').map(([id]) => id)).toEqual(['docs@2', 'docs@1'])
  expect(versionsOf('b/entry 1999').map(([id]) => id)).toEqual(['docs@2'])
  expect(new NameLedger(database).versions).toBe(tableSizes()['versions'])
})

test('a damaged folder leaves its snapshot out, and no other', async () => {
  const [one, two, three] = [snapshot(1, { a: { x: '1' } }), snapshot(2, { a: { xray: '2' }, z: {} }), snapshot(3, { a: { 'xray two': '3' } })]
  const load: typeof trees.load = (id) => (Buffer.compare(id, two.root) === 0 ? Promise.reject(new HoldfastError('damaged', 'broken')) : trees.load(id))
  const damaged: string[] = []
  await takeIn(database, load, [one, two, three], { mostVersions: 1000, signal, onDamaged: ({ id }) => damaged.push(id) })
  expect([damaged, await paths('xray'), new NameLedger(database).countMissing([one, two, three])]).toEqual([['docs@2'], ['a/xray two'], 1])
  await expect(takeIn(database, load, [snapshot(1, { z: {} }, { job: 'o' }), { ...two, job: 'o', jobKey: 'o' }], { mostVersions: 1000, signal })).rejects.toMatchObject({ code: 'damaged' })
})

test('jobs and hosts are apart, and pages meet without a gap', async () => {
  await take([snapshot(1, { d: { 'name x': 'a' } }), snapshot(1, { d: { 'name x': 'b' } }, { host: 'other' }), snapshot(1, { d: { 'name x': 'c', 'name y': '' } }, { job: 'second' })])
  expect((await find('name x')).map(({ job, host }) => `${job} ${host}`).sort()).toEqual(['docs h', 'docs other', 'second h'])
  for (const limit of [1, 2, 3]) expect(await paths('name', limit)).toEqual(await paths('name'))
  for (const limit of [1, 2]) expect(await paths('na', limit)).toEqual(['d/name x', 'd/name x', 'd/name x', 'd/name y'])
})

/** Numbers that are the same in each run. */
function chance(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

function madeByChance(next: (below: number) => number, depth: number): MadeFolder {
  const names = ['Alpha', 'beta', 'gamma report', 'DELTA', 'épsilon']
  return Object.fromEntries(names.filter(() => next(3) > 0).map((name) => {
    const kind = next(4)
    return [Buffer.from(name).toString('latin1'), kind === 0 && depth > 0 ? madeByChance(next, depth - 1) : kind === 1 ? `->${next(2)}` : 'x'.repeat(next(3))]
  }))
}

function flatten(folder: MadeFolder, prefix = ''): [string, string][] {
  return Object.entries(folder).flatMap(([name, content]) => (typeof content === 'string' ? [[prefix + name, content] as [string, string]] : [[prefix + name, '/'] as [string, string], ...flatten(content, `${prefix}${name}/`)]))
}

test('whatever snapshots hold, and whichever are forgotten, the index says what a look into each of them says', async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const next = chance(seed)
    const job = `job ${seed}`
    const states = Array.from({ length: 8 }, () => madeByChance(next, 2))
    const all = states.map((state, index) => snapshot(index + 1, state, { job }))
    const kept: SnapshotToTake[] = []
    for (const each of all) {
      kept.push(each)
      await take([each])
      if (next(3) === 0) kept.splice(next(kept.length), 1)
      await forget(kept)
    }
    const there = new Map<string, string[]>()
    for (const { revision } of kept) for (const [path, content] of flatten(states[revision - 1] ?? {})) there.set(path, [...(there.get(path) ?? []), `${revision} ${content}`])
    const expected = new Map([...there].map(([path, seen]) => [path, versionsExpected(seen, kept.map(({ revision }) => revision))]))
    for (const [path, seen] of expected) expect(versionsOf(path, { jobKey: `key of ${job}`, host: 'h' }).map(([id, count]) => `${id} ${count}`), `${seed} ${path}`).toEqual(seen.map((one) => `${job}@${one}`))
    for (const text of ['alpha', 'report', 'epsilon', 'delta']) {
      const wanted = [...expected.keys()].filter((path) => fold(Buffer.from(path.split('/').at(-1) ?? '', 'latin1').toString()).includes(text)).sort()
      const found = (await find(text)).filter((entry) => entry.job === job)
      expect(found.map(({ path }) => Buffer.from(path).toString('latin1')).sort(), `${seed} ${text}`).toEqual(wanted)
      for (const { path, versions } of found) expect(versions).toBe(expected.get(Buffer.from(path).toString('latin1'))?.length)
    }
    expect(new NameLedger(database).versions).toBe(tableSizes()['versions'])
    await forget([])
  }
})

/** `NEWEST COUNT` of each version, the newest first. Snapshots that are forgotten part no versions, unless something else was between. */
function versionsExpected(seen: readonly string[], revisions: readonly number[]): string[] {
  const versions: { newest: number; count: number; content: string }[] = []
  for (const [revision, content] of seen.map((one) => [Number(one.split(' ')[0]), one.slice(one.indexOf(' ') + 1)] as const)) {
    const last = versions.at(-1)
    const before = revisions[revisions.indexOf(revision) - 1]
    if (last?.content === content && last.newest === before) Object.assign(last, { newest: revision, count: last.count + 1 })
    else versions.push({ newest: revision, count: 1, content })
  }
  return versions.reverse().map(({ newest, count }) => `${newest} ${count}`)
}
