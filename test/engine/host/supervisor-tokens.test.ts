import { expect, it } from 'vitest'
import { SupervisorTokens } from '../../../engine/host/supervisor-tokens.ts'
import type { EngineEvent } from '../../../engine/protocol/messages.ts'

const never = new AbortController().signal
const good = { type: 'token', token: { accessToken: 'secret', expiresMs: 5 } } as const

function setUp() {
  const sent: EngineEvent[] = []
  return { sent, tokens: new SupervisorTokens((event) => sent.push(event)) }
}

it('asks by number and takes the answer of that number', async () => {
  const { sent, tokens } = setUp()
  const first = tokens.token({ service: 'dropbox', name: 'anna' }, undefined, never)
  const second = tokens.token({ service: 'dropbox', name: 'anna' }, 'a'.repeat(24), never)
  expect(sent).toEqual([
    { type: 'token-request', request: 1, account: { service: 'dropbox', name: 'anna' } },
    { type: 'token-request', request: 2, account: { service: 'dropbox', name: 'anna' }, rejected: 'a'.repeat(24) },
  ])
  tokens.answered(2, { type: 'refused', error: { code: 'credentials', message: 'Sign in again.', retryable: false, data: { signInAgain: true } } })
  await expect(second).rejects.toMatchObject({ code: 'credentials', message: 'Sign in again.', data: { signInAgain: true } })
  tokens.answered(1, good)
  expect(await first).toEqual({ accessToken: 'secret', expiresMs: 5 })
})

it('waits as long as the supervisor takes, and no longer than its own signal', async () => {
  const { sent, tokens } = setUp()
  const stop = new AbortController()
  const asking = tokens.token({ service: 'box' }, undefined, stop.signal)
  stop.abort()
  await expect(asking).rejects.toMatchObject({ code: 'aborted' })
  tokens.answered(1, good)
  tokens.answered(99, good)
  expect(() => tokens.token({ service: 'box' }, undefined, stop.signal)).toThrow(expect.objectContaining({ code: 'aborted' }))
  expect(sent).toHaveLength(1)
})
