import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Destination } from '../../../main/api/contract.ts'
import { Uncovered, uncoveredOf } from '../../../main/jobs/uncovered.ts'
import { openWorld } from './world.ts'

const home = '/home/mia'
const folder = (path: string): Destination => ({ type: 'folder', path })

describe('what no job covers', () => {
  it('is each folder of the home that holds no source, is in none, and holds no backup', () => {
    const names = ['Documents', 'Documents old', 'Music', 'Pictures', 'Disk']
    expect(uncoveredOf(names, home, [`${home}/Documents`, `${home}/Pictures/2026`], [folder(`${home}/Disk/backup`)])).toEqual(['Documents old', 'Music'])
    expect(uncoveredOf(names, home, [home], [])).toEqual([])
    expect(uncoveredOf(names, home, ['/home', '/srv'], [])).toEqual([])
    expect(uncoveredOf(names, home, ['/srv', '/home/mias'], [{ type: 'provider', provider: 's3', values: {} }])).toEqual(names)
  })

  it('never is a folder that a job reads, whatever they are', () => {
    const name = fc.constantFrom('a', 'b', 'ab', 'c', '..a')
    const path = fc.array(name, { maxLength: 3 }).map((parts) => [home, ...parts].join('/'))
    fc.assert(fc.property(fc.uniqueArray(name), fc.array(path, { maxLength: 4 }), (names, sources) => {
      const open = uncoveredOf(names, home, sources, [])
      for (const one of names) {
        const own = `${home}/${one}/`
        expect(open.includes(one)).toBe(!sources.some((source) => `${source}/`.startsWith(own) || own.startsWith(`${source}/`)))
      }
    }))
  })
})

/** A home with real folders. */
function makeHome(files: Readonly<Record<string, number>>): { readonly home: string } & Disposable {
  const made = mkdtempSync(join(tmpdir(), 'holdfast-home-'))
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(made, path)), { recursive: true })
    writeFileSync(join(made, path), 'x'.repeat(bytes))
  }
  return { home: made, [Symbol.dispose]: () => { rmSync(made, { recursive: true, force: true }) } }
}

async function open(at: string) {
  const world = openWorld()
  const dismissed: string[] = []
  let changes = 0
  const uncovered = new Uncovered({
    store: world.store, home: at, now: () => world.timers.now(), isDismissed: (key) => dismissed.includes(key), dismiss: (key) => dismissed.push(key), onChange: () => { changes += 1 },
  })
  return { ...world, uncovered, dismissed, changes: () => changes }
}

it('the folders of a home are told, the largest first, until a job takes them or somebody says that it is fine', async () => {
  using made = makeHome({ 'Music/a/b.ogg': 700, 'Pictures/x.jpg': 300, 'Pictures/y.jpg': 600, 'Desktop/note': 5, '.cache/z': 9000, 'file.txt': 8000 })
  symlinkSync('/etc', join(made.home, 'link'))
  const { uncovered, add, changes, timers } = await open(made.home)
  expect(uncovered.view).toEqual([])
  await uncovered.refresh()
  expect(uncovered.view).toEqual([{ name: 'Pictures', bytes: 900, isMore: false }, { name: 'Music', bytes: 700, isMore: false }, { name: 'Desktop', bytes: 5, isMore: false }])
  const told = changes()
  expect(told).toBeGreaterThan(0)
  await uncovered.refresh()
  expect(changes()).toBe(told)
  await add('pictures', { sources: [join(made.home, 'Pictures')] })
  expect(uncovered.view.map(({ name }) => name)).toEqual(['Music', 'Desktop'])
  expect(uncovered.path('Music')).toBe(join(made.home, 'Music'))
  uncovered.fine('Music')
  expect(uncovered.view.map(({ name }) => name)).toEqual(['Desktop'])
  for (const name of ['Music', 'Pictures', '.cache', 'file.txt', 'link', '..', '../../etc', '']) {
    expect(() => uncovered.path(name), name).toThrowError(expect.objectContaining({ code: 'not-found' }))
    expect(() => { uncovered.fine(name) }, name).toThrowError(expect.objectContaining({ code: 'not-found' }))
  }
  // A day later it is measured anew; what is gone is told no more.
  writeFileSync(join(made.home, 'Desktop/more'), 'xx')
  await uncovered.refresh()
  expect(uncovered.view).toMatchObject([{ name: 'Desktop', bytes: 5 }])
  await timers.advance(24 * 3_600_000)
  await uncovered.refresh()
  expect(uncovered.view).toMatchObject([{ name: 'Desktop', bytes: 7 }])
  rmSync(join(made.home, 'Desktop'), { recursive: true })
  await uncovered.refresh()
  expect(uncovered.view).toEqual([])
})
