import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fixedCredentials } from '../../../engine/backend/credentials.ts'
import { openBackend } from '../../../engine/backend/open.ts'
import { systemClock } from '../../../engine/base/clock.ts'
import type { CheckDetails } from '../../../engine/commands/check.ts'
import { openBrowser } from '../../../engine/commands/browse.ts'
import type { KnownRepository } from '../../../engine/protocol/known.ts'
import type { RunSummary } from '../../../engine/protocol/progress.ts'
import { systemRandom } from '../../../engine/repository/crypto.ts'
import { initRepository } from '../../../engine/repository/repository.ts'
import { World } from '../../fixtures/world.ts'
import { cheap, never } from '../repository/support.ts'

/** Two machines, `world` and `other`, that back up to one folder; the folder as it was after each revision can be put back. */
class Rollback implements Disposable {
  readonly world = new World()
  readonly other = new World(this.world.repository)
  #written = 0

  static async make(arbiter: 'cas' | 'flags' = 'cas'): Promise<Rollback> {
    const rollback = new Rollback()
    await rollback.create(arbiter)
    return rollback
  }

  async create(arbiter: 'cas' | 'flags' = 'cas'): Promise<void> {
    await using backend = await openBackend(this.world.repository, { credentials: fixedCredentials({}), signal: never, create: true })
    await initRepository(backend, this.world.password, { arbiter, clock: systemClock, random: systemRandom, cost: cheap }, never)
  }

  /** Something new each time, so that there is a new revision. */
  async backup(world = this.world, options: Parameters<World['backup']>[0] = {}): Promise<RunSummary> {
    writeFileSync(join(world.source, 'file'), `version ${++this.#written}`)
    return world.backup({ host: world === this.other ? 'other' : 'desk', ...options })
  }

  /** @returns how to put the repository back to what it is now. */
  save(): () => void {
    const copy = join(this.world.folder, `copy-${++this.#written}`)
    cpSync(this.world.repository, copy, { recursive: true, preserveTimestamps: true })
    return () => {
      rmSync(this.world.repository, { recursive: true })
      cpSync(copy, this.world.repository, { recursive: true, preserveTimestamps: true })
    }
  }

  /** Names and sizes of all objects. */
  objects(): string[] {
    const { repository } = this.world
    return readdirSync(repository, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(repository, name)).isFile() && !name.startsWith('.'))
      .map((name) => `${name} ${statSync(join(repository, name)).size}`).sort()
  }

  snapshotFiles(): string[] {
    const folder = join(this.world.repository, 'snapshots')
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)).filter((path) => statSync(path).isFile()).sort()
  }

  restored(): string {
    return readFileSync(join(this.world.folder, 'target', 'source', 'file'), 'utf8')
  }

  restore(snapshot: string, options: Parameters<World['restore']>[1] = {}): Promise<RunSummary> {
    const target = join(this.world.folder, 'target')
    rmSync(target, { recursive: true, force: true })
    return this.world.restore(target, { snapshot, host: 'desk', ...options })
  }

  [Symbol.dispose](): void {
    this.world[Symbol.dispose]()
    this.other[Symbol.dispose]()
  }
}

/** A machine that knows revision 3, and a repository of which it holds only the first. */
async function rolledBackToOne(): Promise<Rollback> {
  const rollback = await Rollback.make()
  await rollback.backup()
  const goBack = rollback.save()
  await rollback.backup()
  await rollback.backup()
  goBack()
  return rollback
}

const refused = { code: 'rolled-back', data: { snapshot: 'photos@3', count: 1 } }

describe('a repository that was put back to an older state', () => {
  test('gets no backup, and no object, until somebody accepts it; no revision is given out twice', async () => {
    using rollback = await rolledBackToOne()
    const before = rollback.objects()
    await expect(rollback.backup()).rejects.toMatchObject(refused)
    await expect(rollback.backup(rollback.world, { dryRun: true })).rejects.toMatchObject(refused)
    expect(rollback.objects()).toEqual(before)
    expect((await rollback.backup(rollback.world, { acceptOlderRepository: true })).snapshot).toBe('photos@4')
    expect((await rollback.backup()).snapshot).toBe('photos@5')
    expect((await rollback.world.check()).outcome).toBe('success')
  })

  test('is damage to check, which repairs nothing there', async () => {
    using rollback = await rolledBackToOne()
    const summary = await rollback.world.check()
    expect(summary.outcome).toBe('failed')
    const { damages, affected } = summary.details as CheckDetails
    expect(damages.map(({ object, problem }) => [object.split('/').at(-1), problem])).toEqual([['3', 'missing']])
    expect(affected).toEqual([{ snapshot: 'photos@3', path: '' }])
    await expect(rollback.world.check({ repair: true })).rejects.toMatchObject(refused)
    expect((await rollback.world.check({ acceptOlderRepository: true })).outcome).toBe('success')
    expect((await rollback.world.check()).outcome).toBe('success')
    // Accepted by a check; still no number is given out again.
    expect((await rollback.backup()).snapshot).toBe('photos@4')
  })

  test('gives no latest snapshot back, and what is named only with a warning', async () => {
    using rollback = await rolledBackToOne()
    await expect(rollback.restore('latest')).rejects.toMatchObject(refused)
    await expect(rollback.restore('latest:photos')).rejects.toMatchObject(refused)
    expect(existsSync(join(rollback.world.folder, 'target'))).toBe(false)
    const summary = await rollback.restore('photos@1')
    expect(summary).toMatchObject({ outcome: 'warnings', firstProblems: [{ code: 'rolled-back', path: 'photos@3' }] })
    expect(rollback.restored()).toBe('version 1')
    expect((await rollback.restore('latest', { acceptOlderRepository: true })).outcome).toBe('success')
  })

  test('is listed with a warning', async () => {
    using rollback = await rolledBackToOne()
    await using browser = await openBrowser({ ...rollback.world.common, type: 'browse' }, rollback.world.context())
    expect((await browser.snapshots()).map(({ id }) => id)).toEqual(['photos@1'])
    expect(browser.missed).toEqual([expect.stringMatching(/^photos@3 of .* \(desk\) was here and is gone$/)])
    expect(await browser.answer({ type: 'snapshots' })).toMatchObject({ type: 'snapshots', missed: browser.missed })
    expect(rollback.world.problems).toMatchObject([{ code: 'rolled-back' }, { code: 'rolled-back' }])
  })

  test('is not tidied up', async () => {
    using rollback = await rolledBackToOne()
    const before = rollback.objects()
    const { common } = rollback.world
    await expect(rollback.world.run({ ...common, type: 'forget', snapshots: ['photos@1'], dryRun: false })).rejects.toMatchObject(refused)
    await expect(rollback.world.run({ ...common, type: 'forget', snapshots: [], policy: { last: 1 }, dryRun: false })).rejects.toMatchObject(refused)
    await expect(rollback.world.run({ ...common, type: 'prune', dryRun: false, minimumAgeMs: 0 })).rejects.toMatchObject(refused)
    expect(rollback.objects()).toEqual(before)
  })

  test('is told again and again, by every command of a machine that has only read it, too', async () => {
    using rollback = await Rollback.make()
    await rollback.backup()
    const goBack = rollback.save()
    await rollback.backup()
    // `other` has only looked.
    expect((await rollback.other.check()).outcome).toBe('success')
    goBack()
    for (let again = 0; again < 2; again++) expect((await rollback.other.check()).outcome).toBe('failed')
    await expect(rollback.backup(rollback.other)).rejects.toMatchObject({ code: 'rolled-back' })
  })
})

describe('also told', () => {
  test('another snapshot under a known name: a machine that knew nothing wrote on', async () => {
    using rollback = await Rollback.make()
    const goBack = rollback.save()
    await rollback.backup()
    goBack()
    expect((await rollback.backup(rollback.other)).snapshot).toBe('photos@1')
    await expect(rollback.backup()).rejects.toMatchObject({ code: 'rolled-back', message: expect.stringContaining('another snapshot is in the place of photos@1') as unknown })
    await expect(rollback.restore('photos@1')).rejects.toMatchObject({ code: 'rolled-back' })
    // Whoever goes on after that is above both.
    expect((await rollback.backup(rollback.world, { acceptOlderRepository: true })).snapshot).toBe('photos@2')
  })

  test('the newest snapshot alone is withheld, or the whole job', async () => {
    using rollback = await Rollback.make()
    for (let revision = 1; revision <= 3; revision++) await rollback.backup()
    const whole = rollback.save()
    rmSync(rollback.snapshotFiles()[2] ?? '')
    await expect(rollback.backup()).rejects.toMatchObject(refused)
    whole()
    rmSync(join(rollback.world.repository, 'snapshots'), { recursive: true })
    await expect(rollback.backup()).rejects.toMatchObject(refused)
    whole()
    expect((await rollback.backup()).snapshot).toBe('photos@4')
  })

  test('a forgotten snapshot that is back', async () => {
    using rollback = await Rollback.make()
    await rollback.backup()
    await rollback.backup()
    const goBack = rollback.save()
    await rollback.world.run({ ...rollback.world.common, type: 'forget', snapshots: ['photos@2'], dryRun: false })
    expect((await rollback.world.check()).outcome).toBe('success')
    goBack()
    expect((await rollback.world.check()).outcome).toBe('failed')
    await expect(rollback.backup()).rejects.toMatchObject({ code: 'rolled-back', message: expect.stringContaining('was forgotten and is back') as unknown })
  })

  test('the snapshots of another machine are gone, those of this one are not', async () => {
    using rollback = await Rollback.make()
    await rollback.backup()
    const goBack = rollback.save()
    await rollback.backup(rollback.other)
    expect((await rollback.world.check()).outcome).toBe('success')
    goBack()
    await expect(rollback.backup()).rejects.toMatchObject({ code: 'rolled-back' })
  })

  test('with what main knows, when HOLDFAST_HOME is lost', async () => {
    using rollback = await Rollback.make()
    const nothing: KnownRepository = { repositoryId: '0'.repeat(32), revisions: [], floors: [] }
    await rollback.backup()
    const goBack = rollback.save()
    const { known } = await rollback.backup(rollback.world, { known: nothing })
    goBack()
    rmSync(rollback.world.home, { recursive: true })
    if (!known) throw new Error('nothing is known')
    await expect(rollback.backup(rollback.world, { known })).rejects.toMatchObject({ code: 'rolled-back' })
    const accepted = await rollback.backup(rollback.world, { known, acceptOlderRepository: true })
    expect(accepted.snapshot).toBe('photos@3')
    // What was accepted here is not told again because main still has the old state.
    expect((await rollback.backup(rollback.world, { known })).snapshot).toBe('photos@4')
    expect(accepted.known?.revisions.map(({ revision }) => revision)).toEqual([3])
  })
})

describe('no alarm', () => {
  test.each(['cas', 'flags'] as const)('when another machine forgets and prunes everything (%s)', async (arbiter) => {
    using rollback = await Rollback.make(arbiter)
    await rollback.backup()
    const last = (await rollback.backup()).snapshot ?? ''
    const { other } = rollback
    const ids = async (): Promise<string[]> => {
      await using browser = await openBrowser({ ...other.common, type: 'browse' }, other.context())
      return (await browser.snapshots()).map(({ id }) => id)
    }
    await other.run({ ...other.common, type: 'forget', snapshots: await ids(), dryRun: false })
    await other.run({ ...other.common, type: 'prune', dryRun: false, minimumAgeMs: 0 })
    expect(await ids()).toEqual([])
    expect((await rollback.world.check()).outcome).toBe('success')
    const next = (await rollback.backup()).snapshot ?? ''
    expect([last, next].map((id) => id.split('-')[0])).toEqual(['photos@2', 'photos@3'])
    expect((await rollback.world.check()).outcome).toBe('success')
  })

  test('for a HOLDFAST_HOME that is older than the repository, or lost', async () => {
    using rollback = await Rollback.make()
    await rollback.backup()
    const { home, folder } = rollback.world
    cpSync(home, join(folder, 'old-home'), { recursive: true })
    await rollback.backup()
    await rollback.backup()
    rmSync(home, { recursive: true })
    renameSync(join(folder, 'old-home'), home)
    expect((await rollback.backup()).snapshot).toBe('photos@4')
    rmSync(home, { recursive: true })
    expect((await rollback.backup()).snapshot).toBe('photos@5')
  })

  test('for a damaged file of marks, which is made anew with a warning', async () => {
    using rollback = await Rollback.make()
    await rollback.backup()
    for (const name of readdirSync(rollback.world.home)) if (name.startsWith('marks.db')) writeFileSync(join(rollback.world.home, name), 'no database at all, this is text')
    expect((await rollback.backup()).snapshot).toBe('photos@2')
    expect(rollback.world.lines.filter(({ message }) => message.includes('is lost'))).toHaveLength(1)
  })

  test('for a snapshot that cannot be read: that is damage', async () => {
    using rollback = await Rollback.make()
    await rollback.backup()
    writeFileSync(rollback.snapshotFiles()[0] ?? '', 'no snapshot')
    const { details } = await rollback.world.check()
    expect((details as CheckDetails).damages.map(({ problem }) => problem)).toEqual(['damaged'])
    expect((await rollback.backup()).snapshot).toBe('photos@2')
  })
})

describe('another repository at the address', () => {
  test('is refused until it is accepted; then both may take turns, as disks do', async () => {
    using rollback = await Rollback.make()
    const { world } = rollback
    await rollback.backup()
    const first = `${world.repository}-first`
    renameSync(world.repository, first)
    await rollback.create()
    const before = rollback.objects()
    const another = { code: 'another-repository', data: { place: 'address' } }
    await expect(rollback.backup()).rejects.toMatchObject(another)
    await expect(world.check()).rejects.toMatchObject(another)
    await expect(rollback.restore('latest')).rejects.toMatchObject(another)
    await expect(openBrowser({ ...world.common, type: 'browse' }, world.context())).rejects.toMatchObject(another)
    await expect(world.run({ ...world.common, type: 'prune', dryRun: true })).rejects.toMatchObject(another)
    expect(rollback.objects()).toEqual(before)
    expect((await rollback.backup(world, { acceptOtherRepository: true })).snapshot).toBe('photos@1')
    expect((await rollback.backup()).snapshot).toBe('photos@2')
    renameSync(world.repository, `${world.repository}-second`)
    renameSync(first, world.repository)
    expect((await rollback.backup()).snapshot).toBe('photos@2')
  })

  test('that this machine itself made there needs no word', async () => {
    using world = new World()
    mkdirSync(world.repository)
    await world.backup()
    rmSync(world.repository, { recursive: true })
    expect((await world.backup()).snapshot).toBe('photos@1')
  })
})
