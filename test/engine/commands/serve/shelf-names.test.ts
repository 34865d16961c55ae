import { expect, test } from 'vitest'
import { shelve, type Labelled } from '../../../../engine/commands/serve/shelf-names.ts'

const at = new Date(2026, 10, 27, 3, 14, 9).getTime()

function labelled(host: string, job: string, revision: number, finishedMs = at): Labelled {
  return { host, job, id: `${job}@${revision}`, line: `${host}/${job}`, finishedMs }
}

function namesOf(snapshots: readonly Labelled[]): Record<string, string[]> {
  return Object.fromEntries([...shelve(snapshots)].map(([name, dates]) => [name, [...dates.keys()]]))
}

test('dates are local; of one minute the later ones say which they are', () => {
  expect(namesOf([labelled('tower', 'photos', 1), labelled('tower', 'photos', 2), labelled('tower', 'photos', 3, at + 3_600_000)])).toEqual({
    'tower photos': ['2026-11-27 03.14', '2026-11-27 03.14 (photos@2)', '2026-11-27 04.14'],
  })
  expect(namesOf([labelled('a', 'b', 1, 1e300), labelled('a', 'b', 2, -1e300)])).toEqual({ 'a b': ['undated', 'undated (b@2)'] })
})

test('names are fit for every system, and no two are alike', () => {
  const hosts = ['../..', 'a/b', 'a\\b', 'A_B', 'a\n\u202eb', '. ', '', 'x'.repeat(255), `${'x'.repeat(254)}y`, '長'.repeat(255)]
  const names = Object.keys(namesOf(hosts.map((host) => labelled(host, 'job', 1))))
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(hosts.length)
  for (const name of names) {
    expect(name).toMatch(/^[^/\\:*?"<>|\p{Cc}\p{Cf}]+$/u)
    expect(name).not.toMatch(/^[. ]|[. ]$/)
    expect(Buffer.byteLength(name)).toBeLessThan(220)
  }
})

test('a host and job that read like another’s stay apart, in the same order whatever comes', () => {
  const one = labelled('a b', 'c', 1)
  const other = labelled('a', 'b c', 1)
  expect([...shelve([one, other])].map(([name, dates]) => [name, [...dates.values()][0]])).toEqual([['a b c', one], ['a b c (2)', other]])
  expect([...shelve([other, one]).keys()]).toEqual(['a b c', 'a b c (2)'])
})
