import { describe, expect, it } from 'vitest'
import type { WireError } from '../../../engine/protocol/errors.ts'
import { Returns } from '../../../main/runs/returns.ts'
import { settle, summary } from '../fakes.ts'
import { openWorld } from '../jobs/world.ts'

const offline: WireError = { code: 'offline', message: 'The disk is gone.', retryable: true }

/** A job by hand whose run has failed with `error`, and a destination that comes and goes. */
async function failedWorld(error: WireError) {
  const world = openWorld()
  const id = await world.add('docs')
  const state = { isThere: false }
  const returns = new Returns({ ...world, isWithinReach: () => Promise.resolve(state.isThere) })
  const fail = async (): Promise<void> => {
    world.last().ready()
    world.last().says({ type: 'failed', error, summary: summary({ outcome: 'partial', uploadedBytes: 9 }) })
    world.last().exit('code 1')
    await settle()
  }
  world.backups.run(id, 'manual')
  await fail()
  return { ...world, id, state, returns, fail }
}

describe('a run that ended because something was away', () => {
  for (const error of [offline, { code: 'source-missing', message: 'no source', retryable: false } as const]) {
    it(`goes on when it is back: ${error.code}`, async () => {
      const { returns, state, backups, hosts, id } = await failedWorld(error)
      await returns.look()
      expect(backups.of(id)).toBeUndefined()
      state.isThere = true
      await returns.look()
      expect(backups.of(id)?.identity.trigger).toBe('catch-up')
      await returns.look()
      expect(hosts).toHaveLength(2)
    })
  }

  it('is not tried every minute where all seems to be there', async () => {
    const { returns, state, backups, hosts, id, fail, timers } = await failedWorld(offline)
    state.isThere = true
    await returns.look()
    expect(hosts).toHaveLength(2)
    await fail()
    await returns.look()
    expect(backups.of(id)).toBeUndefined()
    await timers.advance(15 * 60_000)
    await returns.look()
    expect(hosts).toHaveLength(3)
  })

  it('is tried at once after it failed again, when it was away meanwhile', async () => {
    const { returns, state, hosts, fail } = await failedWorld(offline)
    state.isThere = true
    await returns.look()
    await fail()
    state.isThere = false
    await returns.look()
    state.isThere = true
    await returns.look()
    expect(hosts).toHaveLength(3)
  })
})

it('other failures, stopped runs and paused jobs stay as they are', async () => {
  const { returns, state, hosts, id, backups } = await failedWorld({ code: 'password', message: 'wrong', retryable: false })
  state.isThere = true
  await returns.look()
  expect(hosts).toHaveLength(1)
  backups.run(id, 'manual')
  backups.stop(id, 'drain')
  await settle()
  await returns.look()
  expect(hosts).toHaveLength(2)
})

it('while everything is paused nothing starts, and afterwards it does', async () => {
  const { returns, state, hosts, backups } = await failedWorld(offline)
  state.isThere = true
  backups.pauseAll('resumed')
  await returns.look()
  expect(hosts).toHaveLength(1)
  backups.resumeAll()
  expect(hosts).toHaveLength(2)
})
