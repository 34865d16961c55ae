import { describe, expect, it } from 'vitest'
import type { CopyView, LiveRun, RunView } from '../../../main/api/contract.ts'
import { copyLine, spreadWords } from '../../../renderer/text/copies.ts'
import { folderAt, liveRun, run } from '../fixtures.ts'

const now = Date.UTC(2026, 10, 20, 12)
const hour = 3_600_000
const copy = (change: Partial<CopyView> = {}): CopyView => ({ id: 'c1', destination: { type: 'folder', folder: folderAt('/mnt/copy') }, removeVanished: false, state: 'idle', ...change })
const ended = (change: Partial<RunView>): RunView => run('sync-c1', 'r', now, { operation: 'sync', finishedMs: now - hour, startedMs: now - 2 * hour, ...change })
const failed = (code: 'offline' | 'password' | 'crashed', data = {}): RunView => ended({ outcome: 'failed', error: { code, message: 'raw', retryable: code === 'offline', data } })
const line = (change: Partial<CopyView>, live?: LiveRun) => copyLine(copy(change), live, now)
const made = { completeMs: now - 26 * hour, snapshots: 12 }

it('the 3-2-1 of a job is one line', () => {
  expect(spreadWords({ copies: 3, kinds: 2, elsewhere: 1 })).toBe('3 copies on 2 kinds of storage, 1 elsewhere')
  expect(spreadWords({ copies: 2, kinds: 1, elsewhere: 0 })).toBe('2 copies on 1 kind of storage, none elsewhere')
  expect(spreadWords({ copies: 1, kinds: 1, elsewhere: 0 })).toBe('1 copy on 1 kind of storage, none elsewhere')
})

describe('a copy says', () => {
  it.each([
    ['before the first backup', { waits: { wait: { type: 'asked' } } }, 'neutral', 'It is made after the first backup.'],
    ['before it was made', { waits: { wait: { type: 'quiet' } } }, 'neutral', 'Not made yet. Waits for a quiet moment.'],
    ['how old it is', { ...made, lastRun: ended({}), waits: { wait: { type: 'schedule' }, untilMs: now + hour } }, 'neutral', 'Last copied yesterday, 12 snapshots.'],
    ['that it is old', { ...made, completeMs: now - 20 * 24 * hour, lastRun: ended({}) }, 'warn', 'Last copied 20 days ago, 12 snapshots.'],
    ['that its place is away', { ...made, lastRun: failed('offline') }, 'warn', 'This place was not there 1 h ago. Copying goes on as soon as it is back. Last copied yesterday, 12 snapshots.'],
    ['that the backup is away', { lastRun: failed('offline', { side: 'source' }) }, 'warn', 'The backup was not there 1 h ago. Copying goes on as soon as it is back.'],
    ['that the place went away on the way', { lastRun: { ...failed('offline'), outcome: 'partial' } }, 'warn', 'This place was not there 1 h ago. Copying goes on as soon as it is back, from where it was.'],
    ['that it was broken off', { ...made, snapshots: 1, lastRun: ended({ outcome: 'stopped' }) }, 'neutral', 'Broken off 1 h ago; it goes on from there by itself. Last copied yesterday, 1 snapshot.'],
    ['that it was cut off', { lastRun: failed('crashed') }, 'warn', 'Cut off 1 h ago; it goes on by itself.'],
    ['that something could not be read', { ...made, lastRun: ended({ outcome: 'warnings', problems: 2 }) }, 'warn', 'There were 2 warnings 1 h ago. Last copied yesterday, 12 snapshots.'],
    ['that somebody has to sign in', { waits: { wait: { type: 'sign-in', service: 'box' } } }, 'warn', 'Waits until somebody has signed in.'],
    ['that it waits in the queue', { state: 'queued', waits: { wait: { type: 'repository', operation: 'backup' } } }, 'neutral', 'Waits for what runs in the same repository.'],
  ] as const)('%s', (_what, change, tone, text) => {
    expect(line(change)).toEqual({ tone, text })
  })

  it('what to do where something else is at its place', () => {
    expect(line({ lastRun: failed('password') })).toMatchObject({ tone: 'bad', text: expect.stringMatching(/^Failed 1 h ago: The password does not open this repository\. .*Remove this copy/) as string })
    expect(line({ lastRun: failed('password', { side: 'source' }) }).text).toMatch(/at the backup: .*“Edit job”/)
  })

  it('how far it is', () => {
    const share = { done: 3, total: 40 }
    const sync = { groups: { done: 0, total: 1 }, snapshots: share, at: [], readBytes: 0, readBytesPerSecond: 0, sentBytes: 0, sentBytesPerSecond: 0 }
    const live = liveRun('j1', 'r', now, 0, { operation: 'sync', sync, fraction: 0.25 })
    expect(line({ state: 'running', runId: 'r' }, live).text).toMatch(/^Copying: 3 of 40 snapshots, [\d.]+ GB of 128 GB at 6\.86 MB\/s, 25 %, 12–18 min left\.$/)
    expect(line({ state: 'running', runId: 'r' }).text).toBe('Begins to copy…')
    expect(line({ state: 'stopping', runId: 'r', ...made }).text).toBe('Stopping… Last copied yesterday, 12 snapshots.')
  })
})
