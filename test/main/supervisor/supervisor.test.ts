import { describe, expect, it } from 'vitest'
import type { AccountReference, TokenAnswer } from '../../../engine/protocol/accounts.ts'
import type { EngineJob } from '../../../engine/protocol/job.ts'
import type { Limits } from '../../../engine/protocol/messages.ts'
import type { EngineListener } from '../../../main/supervisor/engine.ts'
import { maxRestarts, restartDelayMs } from '../../../main/supervisor/restarts.ts'
import { Supervisor } from '../../../main/supervisor/supervisor.ts'
import type { SupervisorPorts } from '../../../main/supervisor/supervisor.ts'
import { backupJob, fakeHosts, FakeTimers, restoreJob, settle, syncJob } from '../fakes.ts'
import type { FakeHost } from '../fakes.ts'

/** A question for a token, and how it is answered. */
interface Asked {
  readonly job: EngineJob
  readonly account: AccountReference
  readonly rejected: string | undefined
  readonly answer: (answer: TokenAnswer) => void
}

const secrets = { password: 'p', storage: {} }

function setUp() {
  const timers = new FakeTimers()
  const { start, hosts, last } = fakeHosts()
  const nice: number[] = []
  const log: string[] = []
  const listener: EngineListener = {
    event: (event) => { log.push(event.type) },
    output: () => undefined,
    restarting: (restart, delayMs) => { log.push(`restarting ${restart} ${delayMs}`) },
    restarted: () => { log.push('restarted') },
  }
  const asked: Asked[] = []
  const token: SupervisorPorts['token'] = (job, account, rejected) => new Promise((answer) => { asked.push({ job, account, rejected, answer }) })
  const supervisor = new Supervisor({ startHost: start, timers, renice: (pid, value) => nice.push(pid, value), token, sharedAccount: (_, key) => key.toLowerCase() })
  const backup = (uploadBytesPerSecond?: number) => supervisor.start({ job: backupJob, secrets, ...(uploadBytesPerSecond && { uploadBytesPerSecond }) }, listener)
  const restore = () => supervisor.start({ job: restoreJob, secrets }, listener)
  const sync = () => supervisor.start({ job: syncJob, secrets: { ...secrets, from: secrets } }, listener)
  return { asked, timers, hosts, last, nice, log, supervisor, backup, restore, sync }
}

/** The limits that an engine was told last. */
function limitsOf(host: FakeHost | undefined): Limits | undefined {
  const told = host?.commands.filter((one) => one.type === 'start' || one.type === 'limits') ?? []
  const newest = told.at(-1)
  return newest?.type === 'start' || newest?.type === 'limits' ? newest.limits : undefined
}

describe('restarts', () => {
  it('wait longer each time and end after five', () => {
    const delays = Array.from({ length: maxRestarts }, (_none, at) => restartDelayMs(at + 1))
    expect(delays).toEqual([500, 2000, 8000, 32_000, 60_000])
    expect(restartDelayMs(maxRestarts + 1)).toBeUndefined()
  })

  it('start a crashed backup again with its job, pause and limits', async () => {
    const { backup, hosts, last, timers, log, supervisor } = setUp()
    supervisor.setLimits({ uploadBytesPerSecond: 1000 })
    const engine = backup()
    last().ready()
    engine.pause()
    last().exit('SIGSEGV')
    await timers.advance(499)
    expect(hosts).toHaveLength(1)
    await timers.advance(1)
    expect(hosts).toHaveLength(2)
    last().ready()
    expect(last().commands.map((one) => one.type)).toEqual(['start', 'pause'])
    expect(limitsOf(last())).toEqual({ uploadBytesPerSecond: 1000 })
    last().finish()
    expect(await engine.exited).toMatchObject({ type: 'finished', restarts: 1 })
    expect(log).toContain('restarting 1 500')
  })

  it('give up after five crashes', async () => {
    const { backup, hosts, last, timers } = setUp()
    const engine = backup()
    for (let crash = 0; crash <= maxRestarts; crash++) {
      last().ready()
      last().exit('SIGSEGV')
      await timers.advance(60_000)
    }
    expect(hosts).toHaveLength(1 + maxRestarts)
    expect(await engine.exited).toMatchObject({ type: 'crashed', restarts: maxRestarts })
  })

  it('do not happen to a restore, nor after a failure, nor after a stop', async () => {
    const { backup, restore, hosts, last, timers } = setUp()
    const restoring = restore()
    last().exit('SIGSEGV')
    expect(await restoring.exited).toMatchObject({ type: 'crashed' })
    const failing = backup()
    last().ready()
    last().says({ type: 'failed', error: { code: 'password', message: 'wrong', retryable: false } })
    last().exit('code 1')
    expect(await failing.exited).toMatchObject({ type: 'failed' })
    const stopped = backup()
    last().ready()
    stopped.stop('cancel', 10)
    await timers.advance(100_000)
    expect(await stopped.exited).toMatchObject({ type: 'crashed', reason: 'killed' })
    expect(hosts).toHaveLength(3)
  })

  it('are called off by a stop during the wait', async () => {
    const { backup, hosts, last, timers, supervisor } = setUp()
    const engine = backup()
    last().exit('SIGSEGV')
    await settle()
    await supervisor.stopAll(1000)
    expect((await engine.exited).type).toBe('crashed')
    await timers.advance(100_000)
    expect(hosts).toHaveLength(1)
    expect(timers.pending).toBe(0)
  })
})

describe('permits', () => {
  it('are shared by engines and freed by a crash', async () => {
    const { backup, hosts } = setUp()
    backup()
    backup()
    const [first, second] = hosts
    first?.ready()
    second?.ready()
    // Two names of one account.
    first?.says({ type: 'permit-request', request: 1, account: 's3:x', cap: 1 })
    second?.says({ type: 'permit-request', request: 7, account: 'S3:X', cap: 1 })
    expect(first?.got('permit-granted')).toHaveLength(1)
    expect(second?.got('permit-granted')).toHaveLength(0)
    first?.exit('SIGKILL')
    await settle()
    expect(second?.got('permit-granted')).toEqual([{ type: 'permit-granted', request: 7 }])
  })
})

describe('pauses', () => {
  it('of an account reach all engines that use it, under the name that each has for it, also those that begin later and until it is over', async () => {
    const { backup, restore, hosts, timers } = setUp()
    backup()
    backup()
    const [first, second] = hosts
    first?.ready()
    second?.ready()
    first?.says({ type: 'account-use', account: 's3:x' })
    second?.says({ type: 'account-use', account: 'S3:X' })
    second?.says({ type: 'account-use', account: 's3:other' })
    first?.says({ type: 'account-pause', account: 's3:x', pauseMs: 3000 })
    expect(second?.got('account-pause')).toEqual([{ type: 'account-pause', account: 'S3:X', pauseMs: 3000 }])
    await timers.advance(1000)
    restore()
    const third = hosts[2]
    third?.ready()
    third?.says({ type: 'account-use', account: 's3:x' })
    expect(third?.got('account-pause')).toEqual([{ type: 'account-pause', account: 's3:x', pauseMs: 2000 }])
    await timers.advance(2000)
    backup()
    hosts[3]?.ready()
    hosts[3]?.says({ type: 'account-use', account: 's3:x' })
    expect(hosts[3]?.got('account-pause')).toEqual([])
  })

  it('are not told again where they are shorter, of an account that the engine does not use, or to one that has ended', async () => {
    const { backup, hosts } = setUp()
    backup()
    backup()
    const [first, second] = hosts
    first?.ready()
    second?.ready()
    for (const host of [first, second]) host?.says({ type: 'account-use', account: 's3:x' })
    first?.says({ type: 'account-pause', account: 's3:x', pauseMs: 3000 })
    second?.says({ type: 'account-pause', account: 's3:x', pauseMs: 2000 })
    second?.says({ type: 'account-pause', account: 's3:y', pauseMs: 9000 })
    expect([first?.got('account-pause').length, second?.got('account-pause').length]).toEqual([1, 1])
    second?.finish()
    await settle()
    first?.says({ type: 'account-pause', account: 's3:x', pauseMs: 5000 })
    expect([first?.got('account-pause').length, second?.got('account-pause').length]).toEqual([2, 1])
  })
})

describe('tokens', () => {
  const account = { service: 'dropbox', name: 'anna' } as const
  const token: TokenAnswer = { type: 'token', token: { accessToken: 'secret', expiresMs: 5 } }

  it('are asked for on behalf of the job, and answered by number', async () => {
    const { backup, last, asked } = setUp()
    backup()
    last().ready()
    last().says({ type: 'token-request', request: 3, account, rejected: 'a'.repeat(24) })
    expect(asked).toMatchObject([{ job: backupJob, account, rejected: 'a'.repeat(24) }])
    asked[0]?.answer(token)
    await settle()
    expect(last().got('token')).toEqual([{ type: 'token', request: 3, answer: token }])
  })

  it('go to the process that asked, not to the one that follows it', async () => {
    const { backup, hosts, last, asked, timers } = setUp()
    backup()
    last().ready()
    last().says({ type: 'token-request', request: 1, account })
    last().exit('SIGSEGV')
    await timers.advance(500)
    last().ready()
    asked[0]?.answer(token)
    await settle()
    expect(hosts.map((host) => host.got('token').length)).toEqual([0, 0])
  })

  it('are refused to an engine that asks without end, until earlier ones are answered', async () => {
    const { backup, last, asked } = setUp()
    backup()
    last().ready()
    for (let request = 1; request <= 20; request++) last().says({ type: 'token-request', request, account })
    expect(asked).toHaveLength(16)
    expect(last().got('token')).toHaveLength(4)
    expect(last().got('token')[0]).toMatchObject({ request: 17, answer: { type: 'refused', error: { code: 'unavailable', retryable: true } } })
    asked[0]?.answer(token)
    await settle()
    last().says({ type: 'token-request', request: 21, account })
    expect(asked).toHaveLength(17)
  })
})

describe('bandwidth', () => {
  it('is divided among engines, again when one starts or ends or the limit changes', async () => {
    const { backup, hosts, supervisor } = setUp()
    supervisor.setLimits({ uploadBytesPerSecond: 1000 })
    backup()
    hosts[0]?.ready()
    expect(limitsOf(hosts[0])).toEqual({ uploadBytesPerSecond: 1000 })
    backup()
    hosts[1]?.ready()
    expect([limitsOf(hosts[0]), limitsOf(hosts[1])]).toEqual([{ uploadBytesPerSecond: 500 }, { uploadBytesPerSecond: 500 }])
    supervisor.setLimits({ uploadBytesPerSecond: 400 })
    expect([limitsOf(hosts[0]), limitsOf(hosts[1])]).toEqual([{ uploadBytesPerSecond: 200 }, { uploadBytesPerSecond: 200 }])
    hosts[1]?.finish()
    await settle()
    expect(limitsOf(hosts[0])).toEqual({ uploadBytesPerSecond: 400 })
    supervisor.setLimits({})
    expect(limitsOf(hosts[0])).toEqual({})
  })

  it('goes to those who use it', async () => {
    const { backup, hosts, supervisor, timers } = setUp()
    supervisor.setLimits({ uploadBytesPerSecond: 1000 })
    backup()
    backup()
    for (const host of hosts) host.ready()
    const lane = { id: 1, state: 'active', direction: 'up', name: 'pack', totalBytes: 1, attempt: 1, bytesPerSecond: 0 } as const
    hosts[0]?.says({ type: 'transfer', transfer: { ...lane, bytes: 490 } })
    hosts[1]?.says({ type: 'transfer', transfer: { ...lane, bytes: 40 } })
    await timers.advance(1000)
    expect(limitsOf(hosts[0])?.uploadBytesPerSecond).toBeGreaterThan(900)
    expect(limitsOf(hosts[1])?.uploadBytesPerSecond).toBeLessThan(100)
    hosts[0]?.says({ type: 'transfer', transfer: { ...lane, bytes: 1400 } })
    hosts[1]?.says({ type: 'transfer', transfer: { ...lane, state: 'done', bytes: 110 } })
    await timers.advance(1000)
    expect(limitsOf(hosts[1])?.uploadBytesPerSecond).toBe(500)
    // Nothing for a while: nearly all goes to the other, until it comes back, at once.
    for (const bytes of [1900, 2800]) {
      hosts[0]?.says({ type: 'transfer', transfer: { ...lane, bytes } })
      await timers.advance(1000)
    }
    expect(limitsOf(hosts[0])?.uploadBytesPerSecond).toBeGreaterThan(980)
    hosts[1]?.says({ type: 'transfer', transfer: { ...lane, id: 2, bytes: 0 } })
    expect(limitsOf(hosts[1])?.uploadBytesPerSecond).toBe(500)
  })

  it('keeps a job beneath its own limit', () => {
    const { backup, last } = setUp()
    backup(300)
    last().ready()
    expect(limitsOf(last())).toEqual({ uploadBytesPerSecond: 300 })
  })

  it('is yielded to a restore, as are permits and CPU', async () => {
    const { backup, restore, hosts, supervisor, nice } = setUp()
    supervisor.setLimits({ uploadBytesPerSecond: 1000, downloadBytesPerSecond: 1000 })
    backup()
    restore()
    for (const host of hosts) host.ready()
    expect(limitsOf(hosts[0])).toEqual({ uploadBytesPerSecond: 100, downloadBytesPerSecond: 100 })
    expect(limitsOf(hosts[1])).toEqual({ uploadBytesPerSecond: 900, downloadBytesPerSecond: 900 })
    hosts[0]?.says({ type: 'permit-request', request: 1, account: 'a', cap: 4 })
    hosts[0]?.says({ type: 'permit-request', request: 2, account: 'a', cap: 4 })
    expect(hosts[0]?.got('permit-granted')).toHaveLength(1)
    expect(nice).toEqual([1000, 10])
    hosts[1]?.finish()
    await settle()
    expect(hosts[0]?.got('permit-granted')).toHaveLength(2)
    expect(limitsOf(hosts[0])).toEqual({ uploadBytesPerSecond: 1000, downloadBytesPerSecond: 1000 })
  })
})

it('care of a repository has the least of everything: a tenth of a backup’s share, no permit before it, the lowest priority, and no new start', async () => {
  const { backup, supervisor, hosts, nice, timers } = setUp()
  supervisor.setLimits({ uploadBytesPerSecond: 1100, downloadBytesPerSecond: 1100 })
  backup()
  const { type: _type, ...place } = backupJob
  const care = supervisor.start(
    { job: { type: 'care', retention: [], repository: place.repository, home: place.home, concurrency: 2 }, secrets: { password: 'pw', storage: {} } },
    { event: () => undefined, output: () => undefined, restarting: () => undefined, restarted: () => undefined },
  )
  for (const host of hosts) host.ready()
  expect(hosts.map(limitsOf)).toEqual([{ uploadBytesPerSecond: 1000, downloadBytesPerSecond: 1000 }, { uploadBytesPerSecond: 100, downloadBytesPerSecond: 100 }])
  expect(nice).toEqual([1000, 10, 1001, 19])
  hosts[1]?.exit('SIGKILL')
  expect(await care.exited).toMatchObject({ type: 'crashed', restarts: 0 })
  await timers.advance(1000)
  expect(hosts).toHaveLength(2)
})

it('a sync stands between backups and care: half of a backup’s share, no permit before it, and no new start', async () => {
  const { backup, sync, supervisor, hosts, nice, timers } = setUp()
  supervisor.setLimits({ uploadBytesPerSecond: 1500, downloadBytesPerSecond: 1500 })
  backup()
  const copying = sync()
  for (const host of hosts) host.ready()
  expect(hosts.map(limitsOf)).toEqual([{ uploadBytesPerSecond: 1000, downloadBytesPerSecond: 1000 }, { uploadBytesPerSecond: 500, downloadBytesPerSecond: 500 }])
  expect(nice).toEqual([1000, 10, 1001, 15])
  hosts[1]?.exit('SIGKILL')
  expect(await copying.exited).toMatchObject({ type: 'crashed', restarts: 0 })
  await timers.advance(1000)
  expect(hosts).toHaveLength(2)
})

describe('where no limit divides the line', () => {
  const lane = { id: 1, state: 'active', direction: 'up', name: 'pack', totalBytes: 1, attempt: 1, bytesPerSecond: 0 } as const

  it('backups keep a tenth of their pace beside a restore, from its first moment to its end', async () => {
    const { backup, restore, hosts, timers } = setUp()
    backup()
    hosts[0]?.ready()
    for (const bytes of [2_000_000, 4_000_000]) {
      hosts[0]?.says({ type: 'transfer', transfer: { ...lane, bytes } })
      await timers.advance(1000)
    }
    expect(limitsOf(hosts[0])).toEqual({})
    restore()
    expect(limitsOf(hosts[0])).toEqual({ uploadBytesPerSecond: 200_000, downloadBytesPerSecond: 65_536 })
    hosts[1]?.ready()
    expect(limitsOf(hosts[1])).toEqual({})
    // What it does now is not its pace.
    hosts[0]?.says({ type: 'transfer', transfer: { ...lane, bytes: 4_200_000 } })
    await timers.advance(5000)
    expect(limitsOf(hosts[0])).toEqual({ uploadBytesPerSecond: 200_000, downloadBytesPerSecond: 65_536 })
    hosts[1]?.finish()
    await settle()
    expect(limitsOf(hosts[0])).toEqual({})
  })

  it('a sync steps back in both directions', async () => {
    const { sync, restore, hosts, timers } = setUp()
    sync()
    hosts[0]?.ready()
    for (const bytes of [2_000_000, 4_000_000]) {
      hosts[0]?.says({ type: 'transfer', transfer: { ...lane, bytes } })
      hosts[0]?.says({ type: 'transfer', transfer: { ...lane, id: 2, direction: 'down', bytes: bytes * 2 } })
      await timers.advance(1000)
    }
    restore()
    expect(limitsOf(hosts[0])).toEqual({ uploadBytesPerSecond: 200_000, downloadBytesPerSecond: 400_000 })
  })

  it('a backup of which nothing is known, or that has a lower limit of its own, keeps less', () => {
    const { backup, restore, hosts } = setUp()
    restore()
    backup()
    backup(300)
    for (const host of hosts) host.ready()
    expect(limitsOf(hosts[1])).toEqual({ uploadBytesPerSecond: 65_536, downloadBytesPerSecond: 65_536 })
    expect(limitsOf(hosts[2])).toEqual({ uploadBytesPerSecond: 300, downloadBytesPerSecond: 65_536 })
    expect(limitsOf(hosts[0])).toEqual({})
  })

  it('nothing is measured while nothing runs', async () => {
    const { backup, hosts, timers } = setUp()
    const engine = backup()
    hosts[0]?.ready()
    hosts[0]?.finish()
    await engine.exited
    await settle()
    expect(timers.pending).toBe(0)
  })
})

describe('queries', () => {
  it('are answered by number, and by an error when the engine ends', async () => {
    const { supervisor, last, log } = setUp()
    const { repository, home, concurrency } = backupJob
    const engine = supervisor.start({ job: { type: 'browse', repository, home, concurrency }, secrets }, { event: () => log.push('event'), output: () => undefined, restarting: () => undefined, restarted: () => undefined })
    const first = engine.query({ type: 'snapshots' })
    const second = engine.query({ type: 'snapshots' })
    last().ready()
    last().says({ type: 'answer', request: 2, answer: { type: 'snapshots', snapshots: [], missed: [], held: [] } })
    expect((await second).type).toBe('snapshots')
    last().exit('SIGKILL')
    expect(await first).toMatchObject({ type: 'error', error: { code: 'crashed' } })
  })
})
