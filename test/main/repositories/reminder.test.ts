import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../../engine/protocol/errors.ts'
import { askAtMs } from '../../../main/repositories/reminder.ts'
import { settle } from '../fakes.ts'
import { rejects, setUp } from '../jobs/handlers-world.ts'
import { openWorld } from '../jobs/world.ts'

const dayMs = 24 * 3_600_000

type World = Omit<ReturnType<typeof openWorld>, 'shown'>

async function backUp({ backups, last }: World, id: string): Promise<void> {
  backups.run(id, 'manual')
  last().ready()
  last().finish({ outcome: 'success', snapshot: 'docs@1' })
  await settle()
}

async function backedUp<W extends World>(world: W, name = 'docs'): Promise<W & { readonly id: string }> {
  const id = await world.add(name)
  await world.learn(id, 'ab', undefined)
  await backUp(world, id)
  return { ...world, id }
}

function refuses(host: ReturnType<World['last']>, code: ErrorCode): void {
  host.says({ type: 'failed', error: { code, message: '', retryable: false } })
  host.exit('code 1')
}

/** What is asked for now. */
function asked({ reminder, asksFor }: World): string | undefined {
  reminder.tick()
  return asksFor.at(-1)
}

/** The window is asked for the password of `id` now. */
async function due<W extends World>(world: W): Promise<W & { readonly id: string }> {
  const ready = await backedUp(world)
  await ready.timers.advance(31 * dayMs)
  expect(asked(ready)).toBe(ready.id)
  return ready
}

describe('the password is asked for', () => {
  it('a month after the first backup, not before, and again two months after it was known', async () => {
    const world = await backedUp(openWorld())
    expect(asked(world)).toBeUndefined()
    await world.timers.advance(30 * dayMs - 60_000)
    expect(asked(world)).toBeUndefined()
    await world.timers.advance(60_000)
    expect(asked(world)).toBe(world.id)
    world.reminder.known(world.repositoryOf(world.id))
    expect(world.asksFor.at(-1)).toBeUndefined()
    await world.timers.advance(60 * dayMs - 1)
    expect(asked(world)).toBeUndefined()
    await world.timers.advance(1)
    expect(asked(world)).toBe(world.id)
  })

  it('a week later where it was put off, and once more in a notification', async () => {
    const world = await due(openWorld())
    expect(world.reminded).toEqual(['docs'])
    expect(asked(world)).toBe(world.id)
    world.reminder.putOff()
    expect(world.asksFor.at(-1)).toBeUndefined()
    await world.timers.advance(7 * dayMs - 1)
    expect(asked(world)).toBeUndefined()
    expect(world.reminded).toEqual(['docs'])
    await world.timers.advance(1)
    expect(asked(world)).toBe(world.id)
    expect(world.reminded).toEqual(['docs', 'docs'])
  })

  it('goes on after a new start of the app, without a second notification', async () => {
    const world = await due(openWorld())
    await world.history.flush()
    await world.reminders.set(world.reminders.value)
    const again = openWorld(world.folder)
    await again.timers.advance(world.timers.now() - again.timers.now())
    expect(asked(again)).toBe(world.id)
    expect(again.reminded).toEqual([])
  })

  it('for jobs from before Holdfast asked, counted from their oldest backup', async () => {
    const world = await backedUp(openWorld())
    await world.history.flush()
    const later = openWorld(world.folder)
    await later.timers.advance(world.timers.now() - later.timers.now() + 400 * dayMs)
    expect(asked(later)).toBe(world.id)
  })

  it('for one repository a day, the one that is due longest first', async () => {
    const world = await backedUp(openWorld())
    const second = await world.add('pictures', { destination: { type: 'folder', path: '/second' } })
    await world.learn(second, 'cd', undefined)
    await world.timers.advance(dayMs / 2)
    await backUp(world, second)
    await world.timers.advance(40 * dayMs)
    expect(asked(world)).toBe(world.id)
    world.reminder.putOff()
    expect(asked(world)).toBeUndefined()
    await world.timers.advance(dayMs)
    expect(asked(world)).toBe(second)
    // A question stays that was not answered, also when another one is due longer.
    await world.timers.advance(7 * dayMs)
    expect(asked(world)).toBe(second)
  })

  it('never where nothing was backed up, where no password is kept, or where the job is gone', async () => {
    const world = openWorld()
    const id = await world.add('docs')
    await world.timers.advance(400 * dayMs)
    expect(asked(world)).toBeUndefined()
    await world.learn(id, 'ab', undefined)
    expect(asked(world)).toBeUndefined()
    await backUp(world, id)
    await world.timers.advance(400 * dayMs)
    expect(asked(world)).toBe(id)
    await world.secrets.remove(world.repositoryOf(id))
    expect(asked(world)).toBeUndefined()
    expect(world.reminder.asksFor(world.repositoryOf(id))).toBe(false)
  })

  it('at no time before a week has passed since it was put off, whatever else is known', () => {
    const time = fc.integer({ min: 0, max: 4e12 })
    fc.assert(fc.property(time, fc.option(time, { nil: undefined }), time, (sinceMs, knownMs, laterMs) => {
      const at = askAtMs({ sinceMs, laterMs, ...(knownMs !== undefined && { knownMs }) })
      expect(at).toBeGreaterThanOrEqual(laterMs)
      expect(at).toBeGreaterThanOrEqual(knownMs === undefined ? sinceMs + 30 * dayMs : knownMs + 60 * dayMs)
    }))
  })
})

describe('the window', () => {
  it('is told whether it is the password that is kept, without an engine', async () => {
    const world = await due(setUp())
    const engines = world.hosts.length
    expect(await world.handlers['password.check']({ jobId: world.id, password: 'pw' })).toEqual({ right: true, tried: true })
    expect(world.hosts).toHaveLength(engines)
    expect(asked(world)).toBeUndefined()
  })

  it('is told that it is another one of the repository, or none, or that nobody could tell', async () => {
    const world = await due(setUp())
    const check = async (answer: (host: ReturnType<World['last']>) => void): Promise<unknown> => {
      const found = world.handlers['password.check']({ jobId: world.id, password: 'another' })
      await settle()
      world.last().ready()
      expect(world.last().got('start')).toMatchObject([{ secrets: { password: 'another' }, job: { type: 'test', expectRepositoryId: 'ab' } }])
      answer(world.last())
      return await found
    }
    expect(await check((host) => { refuses(host, 'password') })).toEqual({ right: false, tried: true })
    expect(await check((host) => { refuses(host, 'offline') })).toEqual({ right: false, tried: false })
    expect(await check((host) => { host.exit('signal SIGKILL') })).toEqual({ right: false, tried: false })
    expect(asked(world)).toBe(world.id)
    expect(await check((host) => { host.finish({ details: { repository: 'exists', exclusiveCreate: true } }) })).toEqual({ right: true, tried: true })
    expect(asked(world)).toBeUndefined()
  })

  it('may try only what is asked for, and not for long', async () => {
    const world = await backedUp(setUp())
    await rejects(world.handlers['password.check']({ jobId: world.id, password: 'pw' }), { code: 'not-found' })
    await rejects(world.handlers['password.add']({ jobId: world.id, password: 'a new password' }), { code: 'not-found' })
    await world.timers.advance(31 * dayMs)
    expect(asked(world)).toBe(world.id)
    for (let guess = 0; guess < 8; guess++) {
      const found = world.handlers['password.check']({ jobId: world.id, password: `guess ${guess}` })
      await settle()
      world.last().ready()
      refuses(world.last(), 'password')
      expect(await found).toEqual({ right: false, tried: true })
      await world.timers.advance(2_000)
    }
    await rejects(world.handlers['password.check']({ jobId: world.id, password: 'pw' }), { code: 'busy' })
    expect(asked(world)).toBe(world.id)
  })

  it('adds another password after a person has said yes, which is kept from then on', async () => {
    const world = await due(setUp())
    world.person.saysYes = false
    await rejects(world.handlers['password.add']({ jobId: world.id, password: 'a new password' }), { code: 'aborted', data: { declined: true } })
    expect(world.kept(world.id)?.password).toBe('pw')
    world.person.saysYes = true
    const added = world.handlers['password.add']({ jobId: world.id, password: 'a new password' })
    await settle()
    world.last().ready()
    expect(world.last().got('start')).toMatchObject([{ secrets: { password: 'pw' } }])
    expect(world.last().got('query')).toMatchObject([{ query: { type: 'add-password', password: 'a new password' } }])
    expect(world.kept(world.id)?.password).toBe('pw')
    world.last().says({ type: 'answer', request: 1, answer: { type: 'password-added', key: 'ab' } })
    await added
    expect(world.kept(world.id)?.password).toBe('a new password')
    expect(asked(world)).toBeUndefined()
    expect(JSON.stringify(world.asked)).not.toContain('a new password')
    expect(JSON.stringify(world.lines)).not.toContain('a new password')
  })

  it('keeps the old password where the storage does not take a new one', async () => {
    const world = await due(setUp())
    const added = world.handlers['password.add']({ jobId: world.id, password: 'a new password' })
    await settle()
    world.last().ready()
    world.last().says({ type: 'answer', request: 1, answer: { type: 'error', error: { code: 'full', message: 'full', retryable: false } } })
    await rejects(added, { wire: { code: 'full' } })
    expect(world.kept(world.id)?.password).toBe('pw')
    expect(asked(world)).toBe(world.id)
  })
})
