import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCommand, parseEvent, parseJob, parseSummary } from '../../../engine/protocol/validate.ts'

const job = { type: 'prune', repository: '/r', home: '/h', concurrency: 4, dryRun: false } as const
const counters = { found: 0, unchanged: 0, deduplicated: 0, uploaded: 0, waiting: 0 }

describe('messages between processes', () => {
  it('take what the types say', () => {
    const start = { type: 'start', job, secrets: { password: 'p', storage: { accessKeyId: 'k' } }, limits: { uploadBytesPerSecond: 5 } }
    expect(parseCommand(start)).toEqual({ ok: true, value: start })
    const list = { type: 'query', request: 1, query: { type: 'list', snapshot: 'latest', path: new Uint8Array([255]), limit: 10 } }
    expect(parseCommand(list)).toEqual({ ok: true, value: list })
    const token = { type: 'token', request: 2, answer: { type: 'token', token: { accessToken: 't', expiresMs: 9 } } }
    expect(parseCommand(token)).toEqual({ ok: true, value: token })
    const asked = { type: 'token-request', request: 2, account: { service: 'box', name: 'anna' }, rejected: '0'.repeat(24) }
    expect(parseEvent(asked)).toEqual({ ok: true, value: asked })
    expect(parseEvent({ ...asked, rejected: 'a whole token' }).ok).toBe(false)
    const failed = { type: 'failed', error: { code: 'offline', message: 'm', retryable: true, cause: { code: 'internal', message: 'c', retryable: false } } }
    expect(parseEvent(failed)).toEqual({ ok: true, value: failed })
    const summary = {
      operation: 'backup', outcome: 'success', startedMs: 1, finishedMs: 2, files: counters, bytes: counters,
      uploadedBytes: 0, downloadedBytes: 0, adoptedPacks: 0, problems: 0, firstProblems: [], details: { any: ['thing'] },
    }
    expect(parseSummary(summary)).toEqual({ ok: true, value: summary })
  })

  it.each([
    ['an unknown type', { ...job, type: 'format' }],
    ['no transfers at all', { ...job, concurrency: 0 }],
    ['half a transfer', { ...job, concurrency: 1.5 }],
    ['an empty address', { ...job, repository: '' }],
    ['an undefined option', { ...job, patienceMs: undefined }],
    ['a share above everything', { ...job, type: 'check', readDataPercent: 101 }],
    ['a path as text', { ...job, type: 'restore', snapshot: 's', target: '/t', paths: ['p'], overwrite: 'never' }],
    ['a job name with a slash', { ...job, type: 'rebuild', name: 'a/b' }],
  ])('refuse a job with %s', (_what, value) => {
    expect(parseJob(value).ok).toBe(false)
  })

  it('never throw and never quote a secret, whatever comes', () => {
    const secret = 'secret-3391'
    fc.assert(fc.property(fc.anything(), (value) => {
      for (const parse of [parseCommand, parseEvent]) {
        const parsed = parse({ type: 'start', job: { ...job, dryRun: value }, secrets: { password: secret, storage: { key: secret, other: value } }, limits: {} })
        if (!parsed.ok) expect(parsed.problem).not.toContain(secret)
        expect(parse(value).ok).toBe(false)
      }
    }))
  })
})
