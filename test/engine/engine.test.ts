import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { protocolVersion } from '../../engine/protocol/messages.ts'
import { EngineProcess } from './engine-process.ts'
import { password, testFolder } from './small-repository.ts'
import type { TestFolder } from './small-repository.ts'

function start(folder: TestFolder, type: 'test' | 'browse', secret = password): object {
  const job = { type, repository: folder.repository, home: folder.home, concurrency: 2 }
  return { type: 'start', job, secrets: { password: secret, storage: {} }, limits: {} }
}

/** Small requests go beside the transfers that permits are about; a pack of this takes one. */
function backupOfLargeFile(folder: TestFolder): object {
  const source = join(folder.path, 'large')
  mkdirSync(source)
  writeFileSync(join(source, 'file'), randomBytes(1_000_000))
  const common = { repository: folder.repository, home: folder.home, concurrency: 2 }
  const excludes = { patterns: [], presets: [], oneFileSystem: false }
  const job = { ...common, type: 'backup', name: 'large', sources: [source], dryRun: false, onFailure: 'drain', verify: false, excludes }
  return { type: 'start', job, secrets: { password, storage: {} }, limits: {} }
}

describe('engine process', () => {
  it('says ready, runs its job, ends with one last word and exit code 0', async () => {
    await using folder = await testFolder()
    await using engine = new EngineProcess()
    expect(await engine.event('ready')).toMatchObject({ protocolVersion, pid: engine.child.pid })
    engine.send(start(folder, 'test'))
    const { summary } = await engine.event('finished')
    expect(summary).toMatchObject({ operation: 'test', outcome: 'success', details: { repository: 'exists', exclusiveCreate: true } })
    expect(await engine.exited).toBe(0)
    expect(engine.events[0]?.type).toBe('ready')
    expect(engine.lastWords()).toHaveLength(1)
    expect(engine.events.at(-1)?.type).toBe('finished')
  })

  it('fails with the code of the error, exit code 1, and tells no secret', async () => {
    await using folder = await testFolder()
    await using engine = new EngineProcess({ HOLDFAST_LOG: 'debug' })
    engine.send(start(folder, 'test', 'wrong-secret-9431'))
    expect((await engine.event('failed')).error.code).toBe('password')
    expect(await engine.exited).toBe(1)
    expect(JSON.stringify(engine.events)).not.toContain('wrong-secret-9431')
  })

  it('ignores garbage, quotes none of it, and takes a start afterwards', async () => {
    await using folder = await testFolder()
    await using engine = new EngineProcess()
    for (const garbage of [null, 7, 'text', {}, { type: 'nonsense-8812' }, { type: 'limits', limits: { uploadBytesPerSecond: 'nonsense-8812' } }]) engine.send({ garbage, ...(garbage as object) })
    engine.send(start(folder, 'test'))
    await engine.event('finished')
    expect(engine.events.filter((event) => event.type === 'log' && event.level === 'error')).toHaveLength(6)
    expect(JSON.stringify(engine.events)).not.toContain('nonsense-8812')
  })

  it('fails a start that it cannot understand', async () => {
    await using engine = new EngineProcess()
    engine.send({ type: 'start', job: { type: 'backup' }, secrets: { password: 'secret-5521', storage: {} }, limits: {} })
    expect((await engine.event('failed')).error.code).toBe('arguments')
    expect(JSON.stringify(engine.events)).not.toContain('secret-5521')
    expect(await engine.exited).toBe(1)
  })

  it('can be stopped before it starts', async () => {
    await using engine = new EngineProcess()
    engine.send({ type: 'stop', mode: 'drain' })
    expect((await engine.event('failed')).error.code).toBe('aborted')
    expect(await engine.exited).toBe(1)
  })

  it('waits for permits, and stops while it waits', async () => {
    await using folder = await testFolder()
    await using engine = new EngineProcess()
    engine.grantPermits = false
    engine.send(backupOfLargeFile(folder))
    const { request } = await engine.event('permit-request')
    expect(engine.lastWords()).toEqual([])
    engine.send({ type: 'stop', mode: 'cancel' })
    expect((await engine.event('failed')).error.code).toBe('aborted')
    expect(engine.events).toContainEqual({ type: 'permit-release', request })
    expect(await engine.exited).toBe(1)
  })

  it('gives back every permit that it was granted', async () => {
    await using folder = await testFolder()
    await using engine = new EngineProcess()
    engine.send(backupOfLargeFile(folder))
    await engine.event('finished')
    const requested = engine.events.flatMap((event) => (event.type === 'permit-request' ? [event.request] : []))
    const released = engine.events.flatMap((event) => (event.type === 'permit-release' ? [event.request] : []))
    expect(requested.length).toBeGreaterThan(0)
    expect(released.toSorted()).toEqual(requested.toSorted())
  })

  it('browses: answers queries, errors included, beats its heart, ignores a second start, finishes when stopped', async () => {
    await using folder = await testFolder()
    await using engine = new EngineProcess()
    engine.send(start(folder, 'browse'))
    engine.send({ type: 'query', request: 1, query: { type: 'snapshots' } })
    expect(await engine.event('answer')).toEqual({ type: 'answer', request: 1, answer: { type: 'snapshots', snapshots: [], missed: [], held: [] } })
    engine.send(start(folder, 'test'))
    await engine.event('heartbeat')
    engine.send({ type: 'query', request: 2, query: { type: 'list', snapshot: 'latest', path: new Uint8Array(0), limit: 10 } })
    engine.send({ type: 'stop', mode: 'drain' })
    expect((await engine.event('finished')).summary.operation).toBe('browse')
    expect(engine.events).toContainEqual(expect.objectContaining({ type: 'answer', request: 2, answer: expect.objectContaining({ type: 'error' }) as unknown }))
    expect(await engine.exited).toBe(0)
  })

  it('ends when its supervisor is gone', async () => {
    await using folder = await testFolder()
    await using engine = new EngineProcess()
    engine.send(start(folder, 'browse'))
    engine.send({ type: 'query', request: 1, query: { type: 'snapshots' } })
    await engine.event('answer')
    engine.child.disconnect()
    expect(await engine.exited).toBe(0)
  })

  it('says what it is when a person starts it', async () => {
    const code = await new Promise((resolve) => {
      execFile(process.execPath, ['engine/engine.ts'], (error, _stdout, stderr) => { resolve([error?.code, stderr.includes('holdfast')]) })
    })
    expect(code).toEqual([2, true])
  })
})
