import { describe, expect, it } from 'vitest'
import type { EngineEvent } from '../../../engine/protocol/messages.ts'
import { EngineProcess, heartbeatTimeoutMs } from '../../../main/supervisor/process.ts'
import { backupJob, fakeHosts, FakeTimers, settle, summary } from '../fakes.ts'

const secrets = { password: 'p', storage: {} }

function start() {
  const timers = new FakeTimers()
  const { start: startHost, last } = fakeHosts()
  const events: EngineEvent[] = []
  const process = new EngineProcess({ job: backupJob, secrets, limits: {} }, { startHost, timers, onEvent: (event) => events.push(event), onOutput: () => undefined })
  return { timers, host: last(), events, process }
}

describe('EngineProcess', () => {
  it('sends start once, after ready, and then what waited', () => {
    const { host, process } = start()
    process.send({ type: 'pause' })
    expect(host.commands).toEqual([])
    host.ready()
    host.ready()
    expect(host.commands.map((one) => one.type)).toEqual(['start', 'pause'])
  })

  it('settles with the summary when the process has gone after its last word', async () => {
    const { host, process, timers } = start()
    host.ready()
    host.says({ type: 'finished', summary: summary({ outcome: 'unchanged' }) })
    let settled = false
    void process.exited.then(() => { settled = true })
    await settle()
    expect(settled).toBe(false)
    host.exit('code 0')
    expect(await process.exited).toMatchObject({ type: 'finished', summary: { outcome: 'unchanged' } })
    expect(timers.pending).toBe(0)
  })

  it('kills a process that lingers after its last word, and keeps the word', async () => {
    const { host, process, timers } = start()
    host.ready()
    host.says({ type: 'finished', summary: summary() })
    await timers.advance(60_000)
    expect(host.killed).toBe(true)
    expect((await process.exited).type).toBe('finished')
  })

  it('keeps a failure apart from a crash', async () => {
    const { host, process } = start()
    host.ready()
    host.says({ type: 'failed', error: { code: 'offline', message: 'no', retryable: true } })
    host.exit('code 100')
    expect(await process.exited).toMatchObject({ type: 'failed', error: { code: 'offline' } })
  })

  it('calls an exit without a last word a crash, whatever the code', async () => {
    const { host, process } = start()
    host.ready()
    host.exit('code 0')
    expect(await process.exited).toMatchObject({ type: 'crashed', reason: 'exit' })
  })

  it('kills an engine that is silent too long, and any message counts as a sign of life', async () => {
    const { host, process, timers } = start()
    host.ready()
    await timers.advance(heartbeatTimeoutMs - 1)
    host.says({ type: 'heartbeat' })
    await timers.advance(heartbeatTimeoutMs - 1)
    expect(host.killed).toBe(false)
    await timers.advance(1)
    expect(host.killed).toBe(true)
    expect(await process.exited).toMatchObject({ type: 'crashed', reason: 'silent' })
  })

  it('kills an engine that never gets ready', async () => {
    const { host, timers } = start()
    await timers.advance(heartbeatTimeoutMs)
    expect(host.killed).toBe(true)
  })

  it.each([
    ['another protocol', { type: 'ready', protocolVersion: 99, pid: 1 }],
    ['nonsense', { type: 'progress', progress: { phase: 7 } }],
    ['no object', 'hello'],
  ])('kills an engine that speaks %s', async (_name, message) => {
    const { host, process, events } = start()
    host.saysRaw(message)
    expect(host.killed).toBe(true)
    expect(await process.exited).toMatchObject({ type: 'crashed', reason: 'protocol' })
    expect(events).toEqual([])
  })

  it('stops in two steps: asks, then kills', async () => {
    const { host, process, timers } = start()
    host.ready()
    process.stop('drain', 5000)
    expect(host.got('stop')).toEqual([{ type: 'stop', mode: 'drain' }])
    for (let second = 0; second < 4; second++) {
      host.says({ type: 'heartbeat' })
      await timers.advance(1000)
    }
    expect(host.killed).toBe(false)
    process.stop('cancel', 500)
    await timers.advance(500)
    expect(host.killed).toBe(true)
    expect(await process.exited).toMatchObject({ type: 'crashed', reason: 'killed' })
  })

  it('ignores what comes after the end', () => {
    const { host, process, events } = start()
    host.ready()
    host.finish()
    const before = events.length
    host.says({ type: 'heartbeat' })
    process.send({ type: 'pause' })
    process.stop('cancel', 1)
    expect(events.length).toBe(before)
    expect(host.got('pause')).toEqual([])
  })
})
