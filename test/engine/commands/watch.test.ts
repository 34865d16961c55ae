import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../../engine/base/clock.ts'
import { createLog } from '../../../engine/base/log.ts'
import type { BrowseRequest } from '../../../engine/commands/browse.ts'
import { LimitControl, type CommandContext } from '../../../engine/commands/context.ts'
import { serveWatch } from '../../../engine/commands/watch.ts'
import { PauseGate } from '../../../engine/base/pause.ts'
import type { WatchJob } from '../../../engine/protocol/job.ts'
import type { BrowseAnswer, BrowseQuery } from '../../../engine/protocol/messages.ts'

let folder: string

beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'holdfast-watch-job-')) })
afterEach(() => { rmSync(folder, { recursive: true, force: true }) })

function made(name: string): string {
  mkdirSync(join(folder, name), { recursive: true })
  return join(folder, name)
}

/** Somebody who asks one thing after the other. */
class Asker implements AsyncIterable<BrowseRequest> {
  #next = Promise.withResolvers<BrowseRequest>()

  async *[Symbol.asyncIterator](): AsyncGenerator<BrowseRequest> {
    for (;;) yield await this.#next.promise
  }

  ask(query: BrowseQuery): Promise<BrowseAnswer> {
    const answered = Promise.withResolvers<BrowseAnswer>()
    const asked = this.#next
    this.#next = Promise.withResolvers()
    asked.resolve({ query, answer: answered.resolve })
    return answered.promise
  }

  async watched(): Promise<Extract<BrowseAnswer, { type: 'watched' }>> {
    const answer = await this.ask({ type: 'watched' })
    if (answer.type !== 'watched') throw new Error(`answered ${JSON.stringify(answer)}`)
    return answer
  }
}

function start(changes: Partial<WatchJob> = {}, mostFolders = 1000) {
  const job: WatchJob = {
    type: 'watch', sources: [made('tree')], excludes: { patterns: [], presets: [], oneFileSystem: false }, quiet: [], repository: pathToFileURL(join(folder, 'repository')).href,
    home: join(folder, 'home'), concurrency: 1, ...changes,
  }
  const stop = new AbortController()
  const context: CommandContext = {
    secrets: { password: '', storage: {} }, signal: stop.signal, clock: systemClock, log: createLog(() => undefined, () => 0), limits: new LimitControl(), pauseGate: new PauseGate(),
    events: { progress: () => undefined, transfer: () => undefined, problem: () => undefined },
  }
  const asker = new Asker()
  const ended = serveWatch(job, context, asker, { mostFolders, tellEveryMs: 0, checkEveryMs: 10 })
  return { asker, ended, stop: () => { stop.abort() } }
}

test('whoever asks is told when folders are watched, and then of each change, until the watch is stopped', async () => {
  const { asker, ended, stop } = start()
  const ready = await asker.watched()
  expect(ready).toEqual({ type: 'watched', folders: 1, away: 0, changes: 0 })
  made('tree/new')
  expect(await asker.watched()).toEqual({ ...ready, folders: 2, changes: 1 })
  const waits = asker.watched()
  stop()
  expect(await ended).toMatchObject({ operation: 'watch', outcome: 'success' })
  await expect(waits).rejects.toThrow('aborted')
})

test('a source that goes is told, and so is its return', async () => {
  const { asker, ended, stop } = start({ sources: [made('tree'), made('disk')] })
  let now = await asker.watched()
  rmSync(join(folder, 'disk'), { recursive: true })
  while (now.away === 0) now = await asker.watched()
  expect(now.folders).toBe(1)
  made('disk/data')
  while (now.away > 0 || now.folders < 3) now = await asker.watched()
  stop()
  await ended
})

test("Holdfast's own folders and the repository do not count, by whichever name they lie in the source", async () => {
  for (const name of ['tree/home', 'tree/repository', 'tree/window', 'tree/docs']) made(name)
  symlinkSync('tree', join(folder, 'link'))
  symlinkSync('tree/home', join(folder, 'short'))
  const { asker, ended, stop } = start({
    sources: [join(folder, 'link')], home: join(folder, 'short'), quiet: [join(folder, 'tree/window')], repository: pathToFileURL(join(folder, 'tree/repository')).href,
  })
  let now = await asker.watched()
  expect(now.folders).toBe(2)
  for (const name of ['home', 'repository', 'window']) writeFileSync(join(folder, 'tree', name, 'file'), 'x')
  made('tree/docs/end')
  while (now.folders < 3) now = await asker.watched()
  expect(now.changes).toBe(1)
  stop()
  await ended
})

test('too many folders end it with an error that says so', async () => {
  for (let at = 0; at < 5; at++) made(`tree/${at}`)
  await expect(start({}, 3).ended).rejects.toMatchObject({ code: 'full', data: { place: 'watches' } })
  const { asker, ended } = start({}, 6)
  expect(await asker.watched()).toMatchObject({ folders: 6 })
  made('tree/more')
  await expect(ended).rejects.toMatchObject({ code: 'full' })
})
