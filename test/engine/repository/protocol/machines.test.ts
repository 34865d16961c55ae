import { describe, expect, it } from 'vitest'
import { BackendWrapper } from '../../../../engine/backend/wrappers/wrapper.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { systemRandom } from '../../../../engine/repository/crypto.ts'
import { readMachines, saveMachine, type MachineSettings } from '../../../../engine/repository/protocol/machines.ts'
import type { Repository } from '../../../../engine/repository/repository.ts'
import { repositoryOn } from '../../../model/repository.ts'
import { newBackend, never } from '../support.ts'

function machine(host: string, settings: string, savedMs = 1): MachineSettings {
  return { host, user: 'anna', program: 'Holdfast test', savedMs, settings }
}

async function objects(repository: Repository): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of repository.backend.list('machines/', never)) names.push(name)
  return names.sort()
}

/** Bytes that nobody can open, in place of an object. */
async function spoil(repository: Repository, name: string): Promise<void> {
  await repository.backend.put(name, { type: 'bytes', bytes: Buffer.from('broken') }, {}, never)
}

class AppendOnly extends BackendWrapper {
  override remove(): Promise<void> {
    return Promise.reject(new HoldfastError('denied', 'no'))
  }
}

describe('what machines leave in a repository', () => {
  it('is kept, replaced, and not written twice', async () => {
    const repository = repositoryOn(newBackend(), 'cas')
    expect(await readMachines(repository, never)).toEqual([])
    expect(await saveMachine(repository, machine('tower', 'one'), systemRandom, never)).toBe(true)
    expect(await saveMachine(repository, machine('tower', 'one', 5), systemRandom, never)).toBe(false)
    expect(await saveMachine(repository, machine('tower', 'two', 2), systemRandom, never)).toBe(true)
    expect(await saveMachine(repository, { ...machine('tower', 'other user', 4), user: 'bo' }, systemRandom, never)).toBe(true)
    expect(await saveMachine(repository, machine('laptop', 'three', 3), systemRandom, never)).toBe(true)
    expect((await readMachines(repository, never)).map(({ host, user, settings }) => [host, user, settings])).toEqual([['tower', 'bo', 'other user'], ['laptop', 'anna', 'three'], ['tower', 'anna', 'two']])
    expect(await objects(repository)).toHaveLength(3)
    // Names tell the storage neither host nor user.
    expect((await objects(repository)).join()).not.toMatch(/tower|laptop|anna/)
  })

  it('needs no right to delete; the newest counts', async () => {
    const backend = newBackend()
    const repository = repositoryOn(new AppendOnly(backend), 'flags')
    for (const settings of ['one', 'two', 'three']) await saveMachine(repository, machine('tower', settings), systemRandom, never)
    expect(await objects(repository)).toHaveLength(3)
    expect((await readMachines(repository, never)).map(({ settings }) => settings)).toEqual(['three'])
  })

  it('an older one does where the newest is damaged, and what is not understood is passed over', async () => {
    const repository = repositoryOn(new AppendOnly(newBackend()), 'cas')
    await saveMachine(repository, machine('tower', 'one'), systemRandom, never)
    await saveMachine(repository, machine('tower', 'two'), systemRandom, never)
    const newest = (await objects(repository)).find((name) => name.includes('/2-')) ?? ''
    await spoil(repository, newest)
    await spoil(repository, 'machines/desktop.ini')
    expect((await readMachines(repository, never)).map(({ settings }) => settings)).toEqual(['one'])
    // The next one is above the damaged one.
    await saveMachine(repository, machine('tower', 'three'), systemRandom, never)
    expect((await readMachines(repository, never)).map(({ settings }) => settings)).toEqual(['three'])
  })

  it('does not open in another machine’s place', async () => {
    const repository = repositoryOn(newBackend(), 'cas')
    await saveMachine(repository, machine('tower', 'one'), systemRandom, never)
    const [name = ''] = await objects(repository)
    const bytes = await repository.backend.get(name, 'all', never)
    await repository.backend.put(name.replace(/\/[0-9a-f]{32}\//, `/${'ab'.repeat(16)}/`), { type: 'bytes', bytes }, {}, never)
    expect((await readMachines(repository, never)).map(({ host }) => host)).toEqual(['tower'])
  })
})
