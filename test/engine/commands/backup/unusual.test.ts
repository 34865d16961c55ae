import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runJob } from '../../../../engine/commands/run.ts'
import type { BackupJob } from '../../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../../engine/protocol/progress.ts'
import { Household } from '../../../fixtures/household.ts'
import type { World } from '../../../fixtures/world.ts'
import { quickWorld } from '../../../fixtures/quick-world.ts'

let world: World
let home: Household

beforeEach(async () => {
  world = await quickWorld()
  home = new Household(world.source, 0.5)
})
afterEach(() => { world[Symbol.dispose]() })

const codes = ({ unusual }: RunSummary): string[] => (unusual ?? []).map(({ code }) => code)

/** The first backup, then one after what happens. */
async function after(happens: () => void, options: Partial<BackupJob> = {}): Promise<RunSummary> {
  await world.backup(options)
  happens()
  return world.backup(options)
}

const part = (paths: readonly string[], oneIn: number): string[] => paths.filter((_path, at) => at % oneIn === 0)

describe('an attack', () => {
  test.each<[string, string[], () => void]>([
    ['encrypts everything in place', ['scrambled', 'rewritten'], () => { home.encrypt(home.files()) }],
    ['encrypts everything and renames it', ['scrambled', 'removed'], () => { home.encrypt(home.files(), '.locked') }],
    ['encrypts a fifth in place', ['scrambled'], () => { home.encrypt(part(home.files(), 5)) }],
    ['encrypts a fifth and renames it', ['scrambled'], () => { home.encrypt(part(home.files(), 5), '.locked') }],
    ['encrypts letters and nothing else', ['scrambled'], () => { home.encrypt(home.files('letters')) }],
    ['encrypts photographs and nothing else', ['random'], () => { home.encrypt(home.files('photos')) }],
    ['encrypts photographs and renames them', ['random'], () => { home.encrypt(home.files('photos'), '.enc') }],
    ['deletes everything but a note', ['removed'], () => {
      for (const path of ['letters', 'office', 'photos', 'mail', 'projects', 'logs']) home.remove(path)
      home.write('READ ME.txt', home.text(500))
    }],
    ['deletes the files, not the folders', ['removed'], () => { for (const path of home.files()) home.remove(path) }],
    ['empties everything', ['removed'], () => { for (const path of home.files()) home.write(path, Buffer.alloc(0)) }],
    ['overwrites everything with zeros', ['removed'], () => { for (const path of home.files()) home.write(path, Buffer.alloc(5000)) }],
    ['puts links in the place of files', ['removed'], () => {
      for (const path of home.files()) {
        home.remove(path)
        symlinkSync('nowhere', home.at(path))
      }
    }],
  ])('that %s is unusual', async (_name, expected, attack) => {
    const summary = await after(attack)
    expect(codes(summary)).toEqual(expected)
    expect(summary).toMatchObject({ outcome: 'warnings', snapshot: 'photos@2' })
    expect(summary.firstProblems.map(({ code, path }) => [code, path])).toContainEqual(['unusual-change', 'photos'])
  })

  test('that encrypts little by little is unusual within ten backups', async () => {
    await world.backup()
    const letters = home.files('letters')
    const said: string[][] = []
    for (let day = 0; day < 4; day++) {
      home.encrypt(letters.slice(day * 7, day * 7 + 7))
      said.push(codes(await world.backup()))
    }
    expect(said).toEqual([[], [], ['scrambled'], ['scrambled']])
  })

  test('is told of by a run that goes on where one was interrupted', async () => {
    await world.backup()
    home.write('big.bin', home.random(40_000_000))
    home.encrypt(home.files('letters'))
    const stop = new AbortController()
    const { events, ...context } = world.context(stop.signal)
    const job: BackupJob = {
      ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', verify: false, excludes: { patterns: [], presets: [], oneFileSystem: false },
    }
    const stopped = runJob(job, { ...context, events: { ...events, transfer: ({ state, name }) => { if (state === 'done' && name.startsWith('pack')) stop.abort() } } })
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' })
    expect(codes(await world.backup())).toEqual(['scrambled'])
  })
})

describe('an ordinary week', () => {
  /** In this order, one backup after each. */
  const weeks: readonly [string, () => void][] = [
    ['as many photographs are imported as there are files', () => { for (let each = 0; each < 300; each++) home.write(`photos/2026/${each % 20}/DSC_${each}.jpg`, home.photograph(1500)) }],
    ['another branch of a large project is checked out', () => {
      for (const [at, path] of home.files('projects/site').entries()) {
        if (at % 3 === 0) home.remove(path)
        else if (at % 3 === 1) home.write(path, home.text(3200))
      }
      for (let each = 0; each < 100; each++) home.write(`projects/site/lib/${each}.ts`, home.text(1200))
    }],
    ['node_modules are installed', () => { for (let each = 0; each < 270; each++) home.write(`projects/site/node_modules/package${each % 90}/file${each}.js`, home.text(500)) }],
    ['node_modules are installed again, a third of them newer', () => {
      const before = home.files('projects/site/node_modules')
      home.rename('projects/site/node_modules', 'old')
      for (const [at, path] of before.entries()) {
        if (at % 3 === 0) home.write(path, home.text(520))
        else home.rename(path.replace('projects/site/node_modules', 'old'), path)
      }
      home.remove('old')
    }],
    ['a top folder gets another name', () => { home.rename('photos', 'pictures') }],
    ['logs are rotated', () => {
      for (let number = 8; number >= 2; number--) home.rename(`logs/app.log.${number}.gz`, `logs/app.log.${number + 1}.gz`)
      home.write('logs/app.log.2.gz', gzipSync(home.text(9000)))
      home.rename('logs/app.log', 'logs/app.log.1')
      home.write('logs/app.log', home.text(4000))
    }],
    ['mail is sorted into folders, and flagged', () => {
      for (const [at, path] of home.files('mail/inbox/cur').entries()) home.rename(path, `mail/archive/${at % 4}/cur/${at}.host:2,RS`)
      for (let each = 0; each < 80; each++) home.write(`mail/inbox/cur/new${each}.host:2,`, home.text(2600))
    }],
    ['the system is updated', () => {
      for (let each = 0; each < 100; each++) home.write(`system/lib/lib${each}.so`, Buffer.concat([Buffer.from('\x7fELF', 'latin1'), home.text(1500)]))
    }],
    ['the system is updated again, every library of it', () => {
      for (let each = 0; each < 100; each++) home.write(`system/lib/lib${each}.so`, Buffer.concat([Buffer.from('\x7fELF', 'latin1'), home.text(1500), home.random(300)]))
    }],
    ['an old project is deleted, papers are worked on', () => {
      home.remove('projects/site/node_modules')
      for (const path of part(home.files('office'), 3)) home.write(path, path.endsWith('.docx') ? home.marked('PK\x03\x04\x14\x00', 9100) : home.text(6100))
    }],
    ['every photograph gets another time and rights, and a twentieth is retouched', () => {
      for (const [at, path] of home.files('pictures').entries()) {
        if (at % 20 === 0) home.write(path, home.photograph(1600))
        utimesSync(home.at(path), 1_700_000_000, 1_700_000_000)
      }
    }],
    ['a vault is made of fifteen files, as an encrypting program does', () => { for (let each = 0; each < 15; each++) home.write(`vault/${each}.bin`, home.random(4000)) }],
    ['and all of the vault is written anew', () => { for (let each = 0; each < 15; each++) home.write(`vault/${each}.bin`, home.random(4000)) }],
  ]

  test('is never unusual, one after the other', async () => {
    await world.backup()
    const said: (readonly [string, string[]])[] = []
    for (const [name, happens] of weeks) {
      happens()
      said.push([name, codes(await world.backup())])
    }
    expect(said).toEqual(weeks.map(([name]) => [name, []]))
  }, 240_000)
})

describe('what people say themselves', () => {
  test('an exclude that leaves out most files is nothing unusual', async () => {
    expect(codes(await after(() => undefined))).toEqual([])
    const excludes = { patterns: ['letters', '*.jpg', 'mail/'], presets: [], oneFileSystem: false }
    expect(codes(await world.backup({ excludes }))).toEqual([])
  })

  test('nor is a mark that keeps a folder out', async () => {
    const excludes: BackupJob['excludes'] = { patterns: [], presets: ['nobackup'], oneFileSystem: false }
    expect(codes(await after(() => { writeFileSync(home.at('.nobackup'), '') }, { excludes }))).toEqual([])
  })

  test('nor is a source that is taken out of the job', async () => {
    const other = join(world.folder, 'other')
    mkdirSync(other)
    writeFileSync(join(other, 'one'), 'one')
    await world.backup({ sources: [world.source, other] })
    expect(codes(await world.backup({ sources: [other] }))).toEqual([])
  })

  test('a source that is suddenly empty is, until somebody accepts it', async () => {
    const other = join(world.folder, 'other')
    mkdirSync(other)
    writeFileSync(join(other, 'one'), 'one')
    const sources = [world.source, other]
    await world.backup({ sources })
    renameSync(world.source, join(world.folder, 'away'))
    mkdirSync(world.source)
    writeFileSync(join(other, 'two'), 'two')
    const summary = await world.backup({ sources })
    expect(summary.unusual).toEqual([{ code: 'source-changed', files: 1, bytes: 0, of: 2 }])
    expect(codes(await world.backup({ sources, acceptChangedSources: true }))).toEqual([])
    rmSync(join(world.folder, 'away'), { recursive: true })
  })
})
