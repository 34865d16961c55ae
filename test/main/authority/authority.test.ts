import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { channels, type Retention } from '../../../main/api/contract.ts'
import { Pace, windowPace } from '../../../main/api/pace.ts'
import { DialogTurn } from '../../../main/authority/ask.ts'
import { Folders, mostChosen } from '../../../main/authority/folders.ts'
import { lossesOf } from '../../../main/authority/protection.ts'
import { changeQuestion, retentionQuestion, storageQuestion } from '../../../main/authority/questions.ts'
import { sensitivityOf } from '../../../main/authority/sensitive.ts'
import { shownText } from '../../../main/authority/shown.ts'
import { config } from '../jobs/world.ts'

describe('folders', () => {
  const holder = { id: 'job', config }

  it('are known by ids that are new each time, and not for another purpose', () => {
    const folders = new Folders()
    const [first, second] = [folders.add('restore', ['/a']), folders.add('restore', ['/a'])].flat()
    expect(first?.id).not.toBe(second?.id)
    expect(folders.path('restore', first ?? { id: '' })).toBe('/a')
    expect(() => folders.path('sources', first ?? { id: '' })).toThrow(expect.objectContaining({ code: 'arguments' }) as Error)
  })

  it('that were chosen are forgotten with the page; what a job holds is not', () => {
    const folders = new Folders()
    const [chosen] = folders.add('sources', ['/a'])
    const view = folders.view('job', config)
    folders.forget()
    expect(() => folders.path('sources', chosen ?? { id: '' })).toThrow()
    expect(folders.path('sources', view.sources[0] ?? { id: '' }, holder)).toBe('/home/u/docs')
    expect(folders.config({ ...view, sources: view.sources, destination: view.destination }, holder)).toEqual(config)
  })

  it('that a job holds have ids that no other job, purpose or session shares', () => {
    const [here, there] = [new Folders(), new Folders()]
    const twice = { ...config, sources: ['/backup'] }
    const view = here.view('job', twice)
    const ids = [view.sources[0]?.id, view.destination.type === 'folder' ? view.destination.folder.id : '', here.view('other', twice).sources[0]?.id, there.view('job', twice).sources[0]?.id]
    expect(new Set(ids).size).toBe(4)
    expect(here.view('job', twice)).toEqual(view)
    expect(() => here.path('sources', view.sources[0] ?? { id: '' }, { id: 'other', config: twice })).toThrow()
    expect(() => here.path('sources', view.sources[0] ?? { id: '' })).toThrow()
  })

  it('are bounded in number: the oldest go', () => {
    const folders = new Folders()
    const [first] = folders.add('sources', ['/first'])
    const more = folders.add('sources', Array.from({ length: mostChosen }, (_, at) => `/${at}`))
    expect(() => folders.path('sources', first ?? { id: '' })).toThrow()
    expect(folders.path('sources', more[0] ?? { id: '' })).toBe('/0')
    expect(folders.path('sources', more.at(-1) ?? { id: '' })).toBe(`/${mostChosen - 1}`)
  })

  it('ids that nobody made open nothing', () => {
    const folders = new Folders()
    folders.add('sources', ['/a'])
    fc.assert(fc.property(fc.string(), (id) => { expect(() => folders.path('sources', { id }, holder)).toThrow() }))
  })
})

describe('the folder of a restore', () => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-sensitive-'))
  const made = (name: string): string => {
    mkdirSync(join(root, name), { recursive: true })
    return join(root, name)
  }
  const home = made('home/mia')
  const data = made('data/photos')
  const state = made('state/holdfast')
  const facts = { home, own: [state], platform: 'linux' as const, jobs: [{ config: { sources: [data] } }] }
  const at = (path: string): string | undefined => sensitivityOf(path, facts)

  it('is plain where people put things', () => {
    for (const name of ['home/mia/Restored', 'home/mia/Documents/2024', 'data/photos', 'data/other', 'media/disk', 'home/mia/libraries']) expect([name, at(made(name))]).toEqual([name, undefined])
    expect(at('/mnt/disk/not there yet')).toBeUndefined()
  })

  it('is asked about where it starts programs, configures them, or is not ours', () => {
    const expected: readonly (readonly [string, string])[] = [
      [home, 'home'], [join(root, 'home'), 'home'], ['/', 'home'],
      [made('home/mia/.config'), 'settings'], [made('home/mia/.config/autostart'), 'settings'], [made('home/mia/.local/share/applications'), 'settings'],
      [made('home/mia/.ssh'), 'settings'], [made('home/mia/Library/LaunchAgents'), 'settings'], [made('home/mia/AppData/Roaming'), 'settings'],
      [made('elsewhere/Autostart'), 'settings'], [made('home/bob/.ssh/keys'), 'settings'],
      ['/etc', 'system'], ['/etc/cron.d', 'system'], ['/usr/local/bin', 'system'], ['/root/not there', 'system'], ['/var/spool/cron', 'system'],
      [state, 'own'], [made('state/holdfast/history'), 'own'], [join(root, 'state'), 'own'],
      [join(root, 'data'), 'originals'],
    ]
    expect(expected.map(([path]) => [path, at(path)])).toEqual(expected)
  })

  it('is what a link leads to, and another’s home is one by what lies in it', () => {
    symlinkSync(join(home, '.config'), join(root, 'innocent'))
    symlinkSync(home, join(root, 'also innocent'))
    expect([at(join(root, 'innocent')), at(join(root, 'also innocent'))]).toEqual(['settings', 'home'])
    writeFileSync(join(made('home/bob'), '.bashrc'), '')
    expect(at(join(root, 'home/bob'))).toBe('home')
  })

  it('in root’s own home is as in any', () => {
    expect(sensitivityOf('/root/Restored', { ...facts, home: '/root' })).toBeUndefined()
    expect(sensitivityOf('/root/.config/x', { ...facts, home: '/root' })).toBe('settings')
  })
})

describe('what a changed job loses', () => {
  const old = { ...config, sources: ['/a', '/b'], excludes: { patterns: ['*.iso', '*.tmp'], presets: ['trash' as const], largerThanBytes: 100, oneFileSystem: false }, schedule: { type: 'daily', at: '10:00' } as const }

  it('is nothing where it stays or gains', () => {
    expect(lossesOf(old, old)).toEqual([])
    const gains = { ...old, sources: ['/b', '/a', '/c'], excludes: { patterns: ['*.tmp'], presets: [], largerThanBytes: 200, oneFileSystem: false }, schedule: { type: 'hourly' } as const }
    expect(lossesOf(old, gains)).toEqual([])
    expect(lossesOf(old, { ...old, schedule: { type: 'daily', at: '23:00' } })).toEqual([])
    for (const schedule of [{ type: 'interval', minutes: 1440 }, { type: 'times', days: [1, 2, 3, 4, 5, 6, 7], at: ['10:00'] }, { type: 'cron', expression: '0 12 * * *' }] as const) expect(lossesOf(old, { ...old, schedule })).toEqual([])
    expect(lossesOf({ ...old, uploadBytesPerSecond: 10 }, { ...old, uploadBytesPerSecond: 20 })).toEqual([])
    expect(lossesOf(old, { ...old, uploadBytesPerSecond: 50_000 })).toEqual([])
  })

  it('is told one by one', () => {
    const { largerThanBytes: _none, ...without } = old.excludes
    expect(lossesOf({ ...old, excludes: without }, { ...old, sources: ['/b'] })).toEqual([{ type: 'source', path: '/a' }, { type: 'largerThan', bytes: 100 }])
    expect(lossesOf(old, { ...old, uploadBytesPerSecond: 1 })).toEqual([{ type: 'crawl', bytesPerSecond: 1 }])
    expect(lossesOf(old, { ...old, schedule: { type: 'manual' } })).toEqual([{ type: 'schedule', schedule: { type: 'manual' } }])
    for (const schedule of [{ type: 'interval', minutes: 1500 }, { type: 'times', days: [1, 2, 3, 4, 5, 6], at: ['10:00'] }, { type: 'cron', expression: '0 0 29 2 *' }] as const) expect(lossesOf(old, { ...old, schedule })).toEqual([{ type: 'schedule', schedule }])
    const conditions = { mains: true, networks: { rule: 'only', names: ['x'] } } as const
    expect(lossesOf(old, { ...old, conditions })).toEqual([{ type: 'conditions', conditions }])
    expect(lossesOf({ ...old, conditions }, { ...old, conditions: { mains: true } })).toEqual([])
    expect(lossesOf(old, { ...old, excludes: { ...old.excludes, largerThanBytes: 99, oneFileSystem: true, presets: ['trash', 'caches'] } }).map((one) => one.type)).toEqual(['preset', 'largerThan', 'oneFileSystem'])
  })

  it('by patterns is told whenever they are more, others, or in another order; and where one that takes in again goes', () => {
    const withPatterns = (...patterns: readonly string[]) => ({ ...old, excludes: { ...old.excludes, patterns } })
    expect(lossesOf(old, withPatterns('*.iso', '*.tmp', '*'))).toHaveLength(3)
    expect(lossesOf(old, withPatterns('*.tmp', '*.iso'))).toHaveLength(2)
    expect(lossesOf(withPatterns('*', '!*.jpg'), withPatterns('*'))).toEqual([{ type: 'pattern', pattern: '*' }])
  })
})

describe('what is kept', () => {
  const dayMs = 86_400_000
  const cases: readonly (readonly [Retention | undefined, Retention | undefined, boolean])[] = [
    [undefined, undefined, false], [undefined, {}, false], [{ last: 1 }, {}, false], [{ last: 1 }, undefined, false],
    [undefined, { last: 9999 }, true], [{}, { last: 9999 }, true], [{}, { budgetBytes: 1e15 }, true],
    [{ last: 3 }, { last: 3 }, false], [{ last: 3 }, { last: 4 }, false], [{ last: 3 }, { last: 2 }, true], [{ last: 3 }, { last: 3, daily: 1 }, false], [{ last: 3, daily: 1 }, { last: 30 }, true],
    [{ withinMs: dayMs }, { withinMs: dayMs - 1 }, true], [{ withinMs: dayMs }, { last: 100 }, true], [{ withinMs: dayMs }, { withinMs: 2 * dayMs }, false],
    [{ last: 3 }, { last: 3, budgetBytes: 5 }, true], [{ last: 3, budgetBytes: 5 }, { last: 3, budgetBytes: 4 }, true], [{ last: 3, budgetBytes: 5 }, { last: 3, budgetBytes: 6 }, false], [{ last: 3, budgetBytes: 5 }, { last: 3 }, false],
    [{ daily: 3, budgetBytes: 5 }, { budgetBytes: 5 }, false], [{ last: 3, budgetBytes: 5 }, { budgetBytes: 5 }, true], [{ budgetBytes: 5 }, { last: 3, budgetBytes: 5 }, true],
  ]

  it('is asked about wherever a snapshot may go that stayed before', () => {
    for (const [before, after, fewer] of cases) {
      const [old, changed] = [before, after].map((retention) => ({ ...config, ...(retention && { retention }) }))
      expect([before, after, lossesOf(old ?? config, changed ?? config).map((one) => one.type)]).toEqual([before, after, fewer ? ['retention'] : []])
    }
  })

  it('is told in words', () => {
    const [line] = retentionQuestion('docs', [{ type: 'retention', retention: { withinMs: 1.5 * dayMs, last: 3, weekly: 4, budgetBytes: 2.5e9 } }]).detail.split('\n')
    expect(line).toBe('Older snapshots are removed; kept are: all of 1.5 days, the last 3, 4 weekly, at most 2.5 GB')
  })
})

describe('a question', () => {
  it('shows a path on one line, whatever is in it, and the host as it is connected to', () => {
    expect(shownText('/a\nSay yes\u202egnp.exe')).toBe('/a\\u{a}Say yes\\u{202e}gnp.exe')
    expect(shownText(`/${'x'.repeat(500)}/end`)).toMatch(/^\/x{59} … x{56}\/end$/)
    expect(shownText('/home/mia/Bücher 📚')).toBe('/home/mia/Bücher 📚')
    const { title } = storageQuestion({ ...config, destination: { type: 'provider', provider: 's3', values: { bucket: 'bucket', endpoint: 'https://аmazon.example' } } })
    expect(title).toBe('Send backups to bucket on xn--mazon-3ve.example?')
  })

  it('stays as large as a screen', () => {
    const losses = Array.from({ length: 1000 }, (_, at) => ({ type: 'source', path: `/${at}` }) as const)
    const lines = changeQuestion({ name: 'docs', password: false, losses }).detail.split('\n')
    expect(lines).toHaveLength(13)
    expect(lines.at(-1)).toBe('… and 988 more')
  })

  it('comes alone: while one is open, nothing else is asked', async () => {
    const turn = new DialogTurn()
    const first = Promise.withResolvers<string>()
    const asked = turn.take(() => first.promise)
    await expect(turn.take(async () => 'second')).rejects.toMatchObject({ code: 'busy', data: { dialog: true } })
    first.resolve('first')
    expect(await asked).toBe('first')
    await expect(turn.take(async () => { throw new Error('broken') })).rejects.toThrow('broken')
    expect(await turn.take(async () => 'third')).toBe('third')
  })
})

describe('pace', () => {
  it('lets a burst through, then so many a second, and a clock that is set back gives nothing', () => {
    let now = 1_000_000
    const pace = new Pace({ burst: 3, perSecond: 2, now: () => now })
    const taken = (): number => {
      let count = 0
      try {
        for (; count < 100; count++) pace.take()
      } catch (error) {
        expect(error).toMatchObject({ code: 'busy', data: { pace: true } })
      }
      return count
    }
    expect(taken()).toBe(3)
    now += 1000
    expect(taken()).toBe(2)
    now -= 500_000
    expect(taken()).toBe(0)
    now += 3_600_000
    expect(taken()).toBe(3)
  })

  it('is bounded on every channel, each for itself', () => {
    const pace = windowPace(() => 0)
    for (const channel of channels) {
      let count = 0
      expect(() => { for (; count < 1000; count++) pace(channel) }, channel).toThrow(expect.objectContaining({ code: 'busy' }) as Error)
      expect(count, channel).toBeGreaterThanOrEqual(12)
    }
  })
})
