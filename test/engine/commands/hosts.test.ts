import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ForgetDetails } from '../../../engine/commands/forget.ts'
import { openBrowser } from '../../../engine/commands/browse.ts'
import type { RunSummary } from '../../../engine/protocol/progress.ts'
import { World } from '../../fixtures/world.ts'
import { quickWorld } from '../../fixtures/quick-world.ts'

/** Machines that back up under one name of a job to one repository. Each has its own HOLDFAST_HOME and source. */
class Machines implements Disposable {
  readonly worlds: ReadonlyMap<string, World>
  #written = 0

  static async make(...hosts: readonly string[]): Promise<Machines> {
    const first = await quickWorld()
    return new Machines(first, hosts)
  }

  private constructor(first: World, hosts: readonly string[]) {
    this.worlds = new Map(hosts.map((host, index) => [host, index === 0 ? first : new World(first.repository)]))
  }

  of(host: string): World {
    const world = this.worlds.get(host)
    if (!world) throw new Error(`no machine ${host}`)
    return world
  }

  /** Something new each time, unless told otherwise. */
  backup(host: string, options: { readonly unchanged?: true; readonly as?: string; readonly name?: string } = {}): Promise<RunSummary> {
    const world = this.of(host)
    if (!options.unchanged) writeFileSync(join(world.source, 'file'), `${host} ${++this.#written}`)
    return world.backup({ host: options.as ?? host, ...(options.name === undefined ? {} : { name: options.name }) })
  }

  async forget(host: string, more: { readonly allHosts?: boolean; readonly host?: string; readonly snapshots?: readonly string[] } = {}): Promise<ForgetDetails> {
    const named = more.snapshots !== undefined
    const { common } = this.of(host)
    const summary = await this.of(host).run({ ...common, type: 'forget', host, snapshots: [], dryRun: false, ...(named ? {} : { policy: { daily: 7 } }), ...more })
    return summary.details as ForgetDetails
  }

  async restored(host: string, snapshot: string, as = host): Promise<string> {
    const target = join(this.of(host).folder, 'target')
    rmSync(target, { recursive: true, force: true })
    await this.of(host).restore(target, { snapshot, host: as })
    return readFileSync(join(target, 'source', 'file'), 'utf8')
  }

  [Symbol.dispose](): void {
    for (const world of this.worlds.values()) world[Symbol.dispose]()
  }
}

test('one machine’s policy leaves the snapshots of another alone, until it is told', async () => {
  using machines = await Machines.make('alpha', 'beta')
  for (const host of ['beta', 'alpha', 'beta', 'alpha']) await machines.backup(host)
  expect(await machines.forget('alpha')).toMatchObject({ forgotten: ['photos@2'], kept: ['photos@1', 'photos@3', 'photos@4'], damaged: 0, ofOtherHosts: 2 })
  expect(await machines.forget('alpha', { host: 'nobody' })).toMatchObject({ forgotten: [], ofOtherHosts: 3 })
  expect(await machines.forget('alpha', { allHosts: true })).toMatchObject({ forgotten: ['photos@1'], kept: ['photos@3', 'photos@4'], damaged: 0, ofOtherHosts: 0 })
  // What is named is meant, whosever it is.
  expect((await machines.forget('alpha', { snapshots: ['photos@3'] })).forgotten).toEqual(['photos@3'])
})

test('latest is this machine’s, of another only where there is no doubt', async () => {
  using machines = await Machines.make('alpha', 'beta', 'fresh')
  await machines.backup('alpha')
  expect(await machines.restored('fresh', 'latest:photos')).toBe('alpha 1')
  await machines.backup('beta')
  expect(await machines.restored('alpha', 'latest:photos')).toBe('alpha 1')
  expect(await machines.restored('alpha', 'latest')).toBe('alpha 1')
  expect(await machines.restored('alpha', 'latest:beta/photos')).toBe('beta 2')
  expect(await machines.restored('fresh', 'latest', 'beta')).toBe('beta 2')
  const ambiguous = { code: 'arguments', message: expect.stringContaining('latest:beta/photos, latest:alpha/photos') as unknown }
  await expect(machines.restored('fresh', 'latest:photos')).rejects.toMatchObject(ambiguous)
  await expect(machines.restored('fresh', 'latest')).rejects.toMatchObject(ambiguous)
  await expect(machines.restored('fresh', 'latest:gamma/photos')).rejects.toMatchObject({ code: 'not-found' })
  await using browser = await openBrowser({ ...machines.of('fresh').common, type: 'browse', host: 'alpha' }, machines.of('fresh').context())
  expect((await browser.list({ type: 'list', snapshot: 'latest:photos', path: new Uint8Array(), limit: 9 })).entries.map(({ shown }) => shown)).toEqual(['source'])
})

test('a host may have any name', async () => {
  const hostile = '../a/b \u001b[31m@1 latest:x'
  using machines = await Machines.make('alpha', hostile)
  await machines.backup(hostile)
  await machines.backup('alpha')
  expect(await machines.restored('alpha', `latest:${hostile}/photos`)).toBe(`${hostile} 1`)
  expect(machines.of('alpha').lines.some(({ message }) => message.includes('\u001b'))).toBe(false)
})

test('who shares a name with another machine is told so once, and each has its own last snapshot', async () => {
  using machines = await Machines.make('alpha', 'beta')
  await machines.backup('alpha')
  await machines.backup('beta')
  await machines.backup('beta')
  const told = (host: string): string[] => machines.of(host).lines.filter(({ message }) => message.includes('under this job')).map(({ message }) => message)
  expect(told('beta')).toEqual([expect.stringContaining('The machine alpha')])
  expect((await machines.backup('alpha', { unchanged: true }))).toMatchObject({ outcome: 'unchanged', snapshot: 'photos@1' })
  await machines.backup('alpha')
  expect(told('alpha')).toEqual([expect.stringContaining('The machine beta')])
})

test('a machine without a catalog compares with its own snapshot, not with another’s', async () => {
  using machines = await Machines.make('alpha', 'beta')
  await machines.backup('alpha')
  await machines.backup('beta')
  rmSync(machines.of('alpha').home, { recursive: true })
  const again = await machines.backup('alpha', { unchanged: true })
  expect(again.files).toMatchObject({ found: 1, unchanged: 1 })
  mkdirSync(join(machines.of('alpha').source, 'more'))
  expect((await machines.backup('beta', { unchanged: true })).outcome).toBe('unchanged')
})

test('a renamed machine has a history of its own, and goes on with the old one when told so', async () => {
  using machines = await Machines.make('alpha')
  await machines.backup('alpha')
  const renamed = await machines.backup('alpha', { unchanged: true, as: 'omega' })
  expect(renamed).toMatchObject({ outcome: 'success', snapshot: 'photos@2' })
  expect(machines.of('alpha').lines.some(({ message }) => message.includes('--host'))).toBe(true)
  expect(await machines.backup('alpha', { as: 'alpha' })).toMatchObject({ outcome: 'success', snapshot: 'photos@3' })
  await using browser = await openBrowser({ ...machines.of('alpha').common, type: 'browse' }, machines.of('alpha').context())
  expect((await browser.snapshots()).map(({ id, host }) => [id, host])).toEqual([['photos@1', 'alpha'], ['photos@2', 'omega'], ['photos@3', 'alpha']])
})

test('without a name of its own a run is this machine’s', async () => {
  using world = await quickWorld()
  writeFileSync(join(world.source, 'file'), 'x')
  await world.backup()
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  expect((await browser.snapshots()).map(({ host }) => host)).toEqual([hostname()])
})
