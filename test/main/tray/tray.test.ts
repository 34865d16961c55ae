import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { AppState, JobView, RunView } from '../../../main/api/contract.ts'
import { drawIcon, iconPng } from '../../../main/tray/icon.ts'
import { trayActions } from '../../../main/tray/actions.ts'
import { trayState } from '../../../main/tray/state.ts'
import type { TrayIcon, TrayItem } from '../../../main/tray/state.ts'
import { noCounters } from '../fakes.ts'
import { Folders } from '../../../main/authority/folders.ts'
import { config } from '../jobs/world.ts'

const folders = new Folders()
const hourMs = 3_600_000
const nowMs = 100 * hourMs

function job(name: string, changes: Partial<JobView> = {}): JobView {
  return { id: `id-${name}`, config: folders.view(name, { ...config, name }), state: 'idle', lateFromMs: Infinity, recent: [], copies: [], secrets: { password: true, storage: false }, ...changes }
}

function ended(outcome: RunView['outcome'], hoursAgo = 3): { lastRun: RunView } {
  const finishedMs = nowMs - hoursAgo * hourMs
  return { lastRun: { id: 'r', jobId: 'j', operation: 'backup', trigger: 'manual', outcome, startedMs: finishedMs, finishedMs, files: noCounters, bytes: noCounters, uploadedBytes: 0, downloadedBytes: 0, adoptedPacks: 0, problems: 0, restarts: 0 } }
}

function state(jobs: readonly JobView[], changes: Partial<AppState> = {}): AppState {
  return {
    version: '1', platform: 'linux', jobs, restores: [], uncovered: [], accounts: { list: [], available: [] }, pausedAll: false, surroundings: {}, notices: [],
    settings: { language: 'system', theme: 'system', autoStart: false, notifications: 'all', parallelJobs: 2, defaultConcurrency: 4, secretStorage: 'file', autoStartSupported: true },
    ...changes,
  }
}

const labels = (items: readonly TrayItem[]): string[] => items.flatMap((item) => [item.enabled ? item.label : `(${item.label})`, ...labels(item.items ?? []).map((label) => `  ${label}`)])
const icon = (jobs: readonly JobView[], changes: Partial<AppState> = {}): TrayIcon => trayState(state(jobs, changes), nowMs).icon

it('shows what a name hides, in tooltip and menu', () => {
  const { tooltip, menu } = trayState(state([job('a\u202eb\u001b[2J\n', { state: 'running' })]), nowMs)
  expect(tooltip).toBe('Holdfast: backing up a\\u202eb\\x1b[2J\\x0a')
  expect(labels(menu).join('')).not.toMatch(/[\p{Cc}\u202e]/u)
})

describe('the icon', () => {
  it('says the worst of what matters now', () => {
    expect(icon([])).toBe('idle')
    expect(icon([job('a', ended('success')), job('b', ended('unchanged')), job('c', ended('stopped'))])).toBe('idle')
    expect(icon([job('a', ended('warnings')), job('b')])).toBe('warning')
    expect(icon([job('a', ended('warnings')), job('b', ended('failed'))])).toBe('error')
    expect(icon([job('a', ended('partial'))])).toBe('error')
    expect(icon([job('a', { ...ended('failed'), state: 'running', runId: 'r' })])).toBe('working')
    expect(icon([job('a', { state: 'paused', runId: 'r' })])).toBe('paused')
    expect(icon([job('a')], { pausedAll: true })).toBe('paused')
  })

  it('heeds notices that need somebody', () => {
    expect(icon([], { notices: [{ id: 's', type: 'secrets-in-file' }] })).toBe('idle')
    expect(icon([], { notices: [{ id: 's', type: 'engine-crashed', jobId: 'a', restarts: 1, givenUp: false }] })).toBe('idle')
    expect(icon([], { notices: [{ id: 's', type: 'settings-damaged', movedTo: '/x' }] })).toBe('warning')
  })

  const icons = ['idle', 'working', 'paused', 'warning', 'error'] as const

  it('differs in shape or sign, not in colour alone', () => {
    const outlines = icons.map((one) => {
      const pixels = drawIcon(one, 22)
      const first = (22 * 11 + 3) * 4
      const body = pixels.subarray(first, first + 3)
      return Array.from({ length: 22 * 22 }, (_none, at) => {
        const opaque = (pixels[at * 4 + 3] ?? 0) > 127
        const sign = [0, 1, 2].some((channel) => Math.abs((pixels[at * 4 + channel] ?? 0) - (body[channel] ?? 0)) > 60)
        return !opaque ? ' ' : sign ? '#' : '.'
      }).join('')
    })
    expect(new Set(outlines).size).toBe(icons.length)
  })

  it('is a PNG that holds exactly what was drawn, with a clear margin and soft edges', () => {
    for (const size of [22, 44]) {
      const png = iconPng('warning', size)
      expect(png.subarray(1, 4).toString()).toBe('PNG')
      expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([size, size])
      const start = png.indexOf('IDAT')
      const rows = inflateSync(png.subarray(start + 4, start + 4 + png.readUInt32BE(start - 4)))
      const pixels = drawIcon('warning', size)
      for (let row = 0; row < size; row++) {
        expect(rows.subarray(row * (size * 4 + 1) + 1, (row + 1) * (size * 4 + 1)).equals(pixels.subarray(row * size * 4, (row + 1) * size * 4))).toBe(true)
      }
      expect(pixels[3]).toBe(0)
      expect(pixels.some((alpha, at) => at % 4 === 3 && alpha > 20 && alpha < 235)).toBe(true)
    }
  })
})

describe('the menu', () => {
  it('offers each job with its last result, and what can be done', () => {
    const jobs = [job('docs', ended('success')), job('photos', { state: 'running', runId: 'r' }), job('mail', ended('failed', 50)), job('new')]
    expect(labels(trayState(state(jobs), nowMs).menu)).toEqual([
      'Open Holdfast', '',
      'docs: backed up 3 hours ago', '  Back up now', '  Show',
      'photos: backing up', '  (Back up now)', '  Show',
      'mail: failed 2 days ago', '  Back up now', '  Show',
      'new: never backed up', '  Back up now', '  Show',
      '', 'Pause all', '  For 1 hour', '  For 2 hours', '  For 4 hours', '  Until tomorrow morning', '  Until I resume', '', 'Quit',
    ])
  })

  it('says that a job waits for somebody to sign in, and leads to it', () => {
    const waiting = job('docs', { ...ended('failed'), signIn: { service: 'dropbox', account: 'anna' } })
    const shown = trayState(state([waiting, job('mail', ended('success'))]), nowMs)
    expect(shown).toMatchObject({ icon: 'warning', tooltip: 'Holdfast: a backup waits until you sign in' })
    expect(labels(shown.menu).slice(2, 5)).toEqual(['docs: waits until you sign in', '  Sign in…', '  Show'])
    expect(icon([waiting, job('mail', ended('failed'))])).toBe('error')
  })

  it('says what a job waits for', () => {
    const label = (changes: Partial<JobView>): string => labels(trayState(state([job('docs', changes)]), nowMs).menu)[2] ?? ''
    expect(label({ state: 'queued', runId: 'r', waits: { wait: { type: 'place', most: 2 } } })).toBe('docs: waits for its turn')
    expect(label({ state: 'queued', runId: 'r', waits: { wait: { type: 'paused' } } })).toBe('docs: waits until you resume')
    expect(label({ ...ended('failed'), waits: { wait: { type: 'away', what: 'destination' }, untilMs: nowMs + 1 } })).toBe('docs: waits for its destination')
    expect(label({ ...ended('failed'), waits: { wait: { type: 'disk', names: ['Blue Disk'] } } })).toBe('docs: waits for the disk Blue Disk')
    expect(label({ ...ended('failed'), waits: { wait: { type: 'away', what: 'source' } } })).toBe('docs: waits for its source')
    expect(label({ ...ended('success'), waits: { wait: { type: 'catch-up' }, untilMs: nowMs + 1 } })).toBe('docs: makes up for a missed backup soon')
    expect(label({ ...ended('success'), waits: { wait: { type: 'power' } } })).toBe('docs: waits for mains power')
    expect(label({ state: 'paused', runId: 'r', waits: { wait: { type: 'metered' } } })).toBe('docs: waits for a connection that is not metered')
    expect(label({ state: 'paused', runId: 'r' })).toBe('docs: paused')
    expect(label({ ...ended('failed'), waits: { wait: { type: 'retry' }, untilMs: nowMs + 1 } })).toBe('docs: failed 3 hours ago')
    expect(label({ ...ended('success'), waits: { wait: { type: 'schedule' }, untilMs: nowMs + 1 } })).toBe('docs: backed up 3 hours ago')
  })

  it('with no job, and when paused', () => {
    const lengths = trayState(state([job('a')]), nowMs).menu.find(({ label }) => label === 'Pause all')?.items?.map((item) => ({ ...item, label: `  ${item.label}` })) ?? []
    const noonMs = new Date(2026, 0, 5, 12).getTime()
    expect(labels(trayState(state([]), nowMs).menu)).toEqual(['Open Holdfast', '', '(No backups yet)', '', '(Pause all)', ...labels(lengths), '', 'Quit'])
    const paused = (untilMs?: number) => trayState(state([job('a')], { pausedAll: true, ...(untilMs !== undefined && { pausedUntilMs: untilMs }) }), noonMs)
    expect(labels(paused().menu).slice(-4)).toEqual(['(Paused)', 'Resume', '', 'Quit'])
    expect([paused().tooltip, paused(noonMs + 2.5 * hourMs).tooltip, paused(noonMs + 20 * hourMs).tooltip]).toEqual(['Holdfast: paused', 'Holdfast: paused until 14:30', 'Holdfast: paused until tomorrow 08:00'])
    expect(labels(paused(noonMs + 20 * hourMs).menu)).toContain('(Paused until tomorrow 08:00)')
  })

  it('does what it says', () => {
    const done: string[] = []
    const running = new Set(['id-busy'])
    const act = trayActions({
      backups: {
        of: (id) => (running.has(id) ? {} : undefined),
        waitsForSignIn: (id) => id === 'id-waiting',
        run: (id, trigger) => done.push(`run ${id} ${trigger}`),
        pauseAll: (length) => { done.push(`pause ${length}`) },
        resumeAll: () => { done.push('resume') },
      },
      window: { show: () => { done.push('open') } },
      navigation: { go: (route) => { done.push(JSON.stringify(route)) } },
      quit: () => { done.push('quit') },
    })
    const [free, busy] = [job('free'), job('busy')]
    const all = (items: readonly TrayItem[]): readonly TrayItem[] => items.flatMap((item) => [item, ...all(item.items ?? [])])
    for (const { action } of all(trayState(state([free, busy]), nowMs).menu)) if (action) act(action)
    act({ type: 'resume-all' })
    act({ type: 'run', jobId: 'id-waiting' })
    expect(done).toEqual(['open', 'run id-free manual', '{"page":"job","jobId":"id-free"}', '{"page":"job","jobId":"id-busy"}', 'pause 1', 'pause 2', 'pause 4', 'pause tomorrow', 'pause resumed', 'quit', 'resume', '{"page":"job","jobId":"id-waiting"}'])
  })
})

it('the tooltip says what goes on', () => {
  const tooltip = (jobs: readonly JobView[]): string => trayState(state(jobs), nowMs).tooltip
  expect(tooltip([])).toBe('Holdfast')
  expect(tooltip([job('a', { state: 'running', runId: 'r' }), job('b', { state: 'queued', runId: 's' })])).toBe('Holdfast: backing up a, b')
  expect(tooltip([job('a', ended('failed'))])).toBe('Holdfast: a backup failed')
  expect(tooltip([job('a', { ...ended('success', 1), completeMs: nowMs - hourMs }), job('b', ended('stopped', 0))])).toBe('Holdfast: last backup 60 minutes ago')
})
