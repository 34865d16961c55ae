import { describe, expect, test } from 'vitest'
import { errorCodes } from '../../../engine/protocol/errors.ts'
import { errorText } from '../../../renderer/text/errors.ts'
import { diskBackup, diskState } from '../../../renderer/text/disks.ts'
import { pauseWords } from '../../../renderer/text/pause.ts'
import { atOnceWords, continuingWords, etaWords, jobStatus, outcomeStatus, phaseWords, queuedWords, shortWords, sumWords, waitWords } from '../../../renderer/text/status.ts'
import { destinationWords, noticeWords } from '../../../renderer/text/words.ts'
import { job, liveRun, run, s3 } from '../fixtures.ts'

const now = 1_800_000_000_000
const progress = (change = {}) => liveRun('j1', 'r1', now, 0, change).progress!

describe('the state of a job', () => {
  test('is what it does now, then how it ended, then that it never ran', () => {
    expect(jobStatus(job('j1', 'Documents'), undefined)).toMatchObject({ tone: 'neutral', words: 'Never run' })
    expect(jobStatus(job('j1', 'Documents', { lastRun: run('j1', 'r1', now) }), undefined)).toMatchObject({ tone: 'good', words: 'Backed up' })
    expect(jobStatus(job('j1', 'Documents', { state: 'running' }), liveRun('j1', 'r1', now, 0))).toMatchObject({ tone: 'busy' })
    expect(jobStatus(job('j1', 'Documents', { state: 'paused' }), liveRun('j1', 'r1', now, 0))).toMatchObject({ tone: 'neutral', words: 'Paused' })
  })

  test('says when it waits for the storage', () => {
    const waiting = liveRun('j1', 'r1', now, 0, { waitingFor: { code: 'offline', sinceMs: now } })
    expect(jobStatus(job('j1', 'Documents', { state: 'running' }), waiting)).toMatchObject({ tone: 'warn', icon: 'offline' })
  })

  test('says when it waits for its like, and that this is nothing to worry about', () => {
    const change = { waitingFor: { code: 'permit', sinceMs: now } } as const
    expect(jobStatus(job('j1', 'Documents', { state: 'running' }), liveRun('j1', 'r1', now, 0, change))).toMatchObject({ tone: 'neutral', words: 'Waiting for other jobs' })
    expect(etaWords(progress(change))).toBe('Waiting for other jobs with this storage')
  })

  test('outcomes differ in shape, not only in colour', () => {
    const outcomes = (['success', 'warnings', 'failed', 'stopped'] as const).map((outcome) => outcomeStatus({ outcome, problems: 2, operation: 'backup' }))
    expect(new Set(outcomes.map((status) => status.icon)).size).toBe(4)
    expect(outcomes[1]?.words).toBe('Backed up, 2 warnings')
    expect(outcomeStatus({ outcome: 'warnings', problems: 1, operation: 'restore' }).words).toBe('Restored, 1 warning')
  })
})

describe('progress in words', () => {
  test('the sum, the remaining time, the phase and where it continues', () => {
    expect(sumWords(progress())).toBe('48.7 GB of 128 GB at 6.86 MB/s')
    expect(etaWords(progress())).toBe('12–18 min left')
    expect(shortWords(progress())).toBe('12–18 min left · 6.86 MB/s')
    expect(phaseWords(progress({ phase: 'verifying' }))).toBe('Verifying a sample')
    expect(continuingWords(progress({ continuedFraction: 0.63 }))).toBe('Continuing at 63 %')
    expect(atOnceWords({ limit: 4, wanted: 4 })).toBe('up to 4 at once')
    expect(atOnceWords({ limit: 5, wanted: 16, because: 'refused' })).toBe('up to 5 at once, not 16: the storage takes no more just now')
    expect(atOnceWords({ limit: 2, wanted: 8, because: 'enough' })).toBe('up to 2 at once, not 8: more have not been faster so far')
    expect(continuingWords(progress())).toBe('')
  })

  test('before anything is found there is no amount to tell', () => {
    const none = { found: 0, unchanged: 0, deduplicated: 0, uploaded: 0, waiting: 0 }
    const { etaMs: _none, ...opening } = progress({ bytes: none })
    expect([sumWords(opening), shortWords(opening)]).toEqual(['', ''])
  })

  test('nothing is estimated and no speed is shown while it is paused or waits', () => {
    expect(etaWords(progress({ paused: true }))).toBe('')
    expect(sumWords(progress({ waitingFor: { code: 'offline', sinceMs: now } }))).toBe('48.7 GB of 128 GB')
  })
})

test('every error code has words and advice of its own, and never shows the code', () => {
  const titles = errorCodes.map((code) => {
    const { title, advice } = errorText({ code, message: 'EWHATEVER', retryable: false })
    expect(`${title} ${advice}`).not.toMatch(/EWHATEVER|[a-z]-[a-z]+-[a-z]/)
    expect(advice.length).toBeGreaterThan(10)
    return title
  })
  expect(new Set(titles).size).toBe(errorCodes.length)
})

test('a full disk says whose it is', () => {
  const full = (place: string) => errorText({ code: 'full', message: '', retryable: false, data: { place } }).title
  expect(full('local')).not.toBe(full('storage'))
})

test('an object that nobody knows is named, with what to do about it', () => {
  const { title, advice } = errorText({ code: 'version', message: '', retryable: false, data: { object: 'gc/notes.txt', reason: 'unknown-name' } })
  expect(title).not.toContain('newer')
  expect(advice).toContain('“gc/notes.txt”')
  expect(advice).toContain('move it out of the repository')
})

test('destinations and notices in words', () => {
  expect(destinationWords(s3)).toBe('mia-backups/laptop on s3.eu-central-1.example.com')
  expect(destinationWords({ type: 'provider', provider: 's3', values: { bucket: 'bbb' } })).toBe('bbb on Amazon S3')
  expect(destinationWords({ type: 'provider', provider: 'dropbox', values: { account: 'mia@example.org' } })).toBe('Dropbox (mia@example.org)')
  expect(noticeWords({ id: 'n', type: 'engine-crashed', jobId: 'j1', restarts: 5, givenUp: true }, () => 'Photos').title).toContain('“Photos”')
})

test('says why a job does not run now, and until when', () => {
  const now = new Date(2026, 10, 26, 12).getTime()
  const untilMs = new Date(2026, 10, 26, 14, 5).getTime()
  expect([
    waitWords({ wait: { type: 'schedule' }, untilMs }, now), waitWords({ wait: { type: 'retry' }, untilMs }, now), waitWords({ wait: { type: 'away', what: 'destination' }, untilMs }, now),
    waitWords({ wait: { type: 'away', what: 'source' } }, now), waitWords({ wait: { type: 'asked' } }, now), waitWords({ wait: { type: 'paused' } }, now),
    waitWords({ wait: { type: 'sign-in', service: 'dropbox' } }, now), waitWords({ wait: { type: 'place', most: 1 } }, now), waitWords({ wait: { type: 'place', most: 3 } }, now),
  ]).toEqual([
    'Next: Today 14:05', 'Tries again: Today 14:05', 'Waits for its destination to be back', 'Waits for its source to be back', 'Only by hand', 'Schedule is paused', 'Waits until then',
    'Waits for the job that runs', 'Waits for one of 3 jobs that run',
  ])
  expect([queuedWords({ wait: { type: 'place', most: 2 } }), queuedWords({ wait: { type: 'paused' } }), queuedWords({ wait: { type: 'sign-in', service: 'box' } })]).toEqual([
    'It starts when another job is done. How many run at once is a setting.', 'It starts when you resume.', 'It starts when somebody has signed in.',
  ])
})

test('what waits for a disk says for which, and has not failed', () => {
  const waits = { wait: { type: 'disk', names: ['Blue Disk', 'Red\u202e'] } } as const
  expect(waitWords(waits, 0)).toBe('Waits for the disk Blue Disk or Red\\u202e')
  expect(queuedWords(waits)).toBe('It starts as soon as Blue Disk or Red\\u202e is plugged in.')
  const broken = run('j1', 'r', 0, { outcome: 'failed', error: { code: 'offline', message: '', retryable: true } })
  expect(jobStatus(job('j1', 'Photos', { lastRun: broken, waits }), undefined).words).toBe('Waiting for the disk Blue Disk or Red\\u202e')
  expect(jobStatus(job('j1', 'Photos', { state: 'queued', waits }), undefined).words).toBe('Waiting for the disk Blue Disk or Red\\u202e')
  expect(jobStatus(job('j1', 'Photos', { lastRun: run('j1', 'r', 0), waits }), undefined).words).toBe('Backed up')
  expect(jobStatus(job('j1', 'Photos', { lastRun: broken }), undefined).words).toBe('Failed')
  expect(errorText({ code: 'offline', message: '', retryable: true, data: { reason: 'folder' } }).advice).toContain('Plug in its disk')
})

test('a disk says how it is with it, and what is on it', () => {
  const day = 24 * 3_600_000
  const disk = { id: 'a', name: 'Red', current: true, present: true, seenMs: 0, safe: false }
  expect([diskState(disk, 90 * day), diskState({ ...disk, safe: true }, 5), diskState({ ...disk, present: false }, day), diskState({ ...disk, present: false }, 9.5 * day)]).toEqual([
    'Plugged in', 'Plugged in; you can unplug it now', 'Not plugged in', 'Not plugged in, not seen for 9 days',
  ])
  expect([diskBackup(disk, 5), diskBackup({ ...disk, completeMs: 0 }, 3 * day)]).toEqual(['No backup yet', 'Last backup 3 days ago'])
})

test('a pause is told with its end', () => {
  const noon = new Date(2026, 10, 21, 12).getTime()
  const hour = 3_600_000
  expect(pauseWords.until(noon + 2.5 * hour, noon)).toBe('Paused until 14:30')
  expect(pauseWords.until(noon + 20 * hour, noon)).toBe('Paused until tomorrow 08:00')
  expect(waitWords({ wait: { type: 'paused' }, untilMs: noon + hour }, noon)).toBe('Paused until 13:00')
})
