import { describe, expect, test } from 'vitest'
import { configOf, fieldsOf, newFields, parseMegabytes, secretsOf, suggestName, validate, type JobFields } from '../../../renderer/state/job-form.ts'
import { JobForm } from '../../../renderer/state/job-form.svelte.ts'
import { error, FakeApi } from '../fake-api.ts'
import { config, job, s3, settings } from '../fixtures.ts'

const facts = { editing: false, takenNames: ['Photos'], repositoryOpens: false, storedKeys: false }
const good: JobFields = {
  ...newFields(settings), name: 'Documents', sources: ['/home/mia/Documents'], folder: '/media/disk', password: 'tulip gravel omen', confirmation: 'tulip gravel omen',
}
const onS3: JobFields = { ...good, destination: 's3', bucket: 'mia-backups', accessKeyId: 'AK', secretAccessKey: 'SK' }

describe('what is wrong with a job', () => {
  test('nothing, when all is there', () => {
    expect(validate(good, facts)).toEqual({})
    expect(validate(onS3, facts)).toEqual({})
  })

  test('everything that is needed, at first', () => {
    expect(validate(newFields(settings), facts)).toEqual({ name: 'required', sources: 'noSources', folder: 'noFolder', password: 'required' })
  })

  test.each<[string, Partial<JobFields>, object]>([
    ['a taken name', { name: ' Photos ' }, { name: 'nameTaken' }],
    ['a name with a slash', { name: 'a/b' }, { name: 'nameCharacters' }],
    ['a destination inside a source', { folder: '/home/mia/Documents/backup' }, { folder: 'insideSource' }],
    ['a destination that is a source', { folder: '/home/mia/Documents' }, { folder: 'insideSource' }],
    ['passwords that differ', { confirmation: 'tulip' }, { confirmation: 'passwordsDiffer' }],
    ['a short password', { password: 'tulip', confirmation: 'tulip' }, { password: 'passwordShort' }],
    ['too many uploads', { concurrency: '33' }, { concurrency: 'concurrencyRange' }],
    ['half an upload', { concurrency: '1.5' }, { concurrency: 'concurrencyRange' }],
    ['a limit of nothing', { limited: true, limit: '0' }, { limit: 'positiveNumber' }],
    ['a limit that is no number', { limited: true, limit: 'fast' }, { limit: 'positiveNumber' }],
    ['no time of day', { at: '' }, { at: 'timeOfDay' }],
  ])('%s', (_name, change, expected) => {
    expect(validate({ ...good, ...change }, facts)).toEqual(expected)
  })

  test('S3 wants a bucket, keys, and a real address; a stored key need not be typed again', () => {
    expect(validate({ ...onS3, bucket: '', endpoint: 's3.example.com', secretAccessKey: '' }, facts)).toEqual({
      bucket: 'required', endpoint: 'endpointAddress', secretAccessKey: 'required',
    })
    expect(validate({ ...onS3, accessKeyId: '', secretAccessKey: '' }, { ...facts, storedKeys: true })).toEqual({})
    expect(validate({ ...onS3, bucket: 'No Spaces' }, facts)).toEqual({ bucket: 'bucketName' })
  })

  test('a neighbour of a source with the same beginning is a fine destination', () => {
    expect(validate({ ...good, folder: '/home/mia/Documents-backup' }, facts)).toEqual({})
  })

  test('a password that opens what is there needs no repetition, whatever its length', () => {
    expect(validate({ ...good, password: 'old', confirmation: '' }, { ...facts, repositoryOpens: true })).toEqual({})
    expect(validate({ ...good, password: '', confirmation: '' }, { ...facts, editing: true })).toEqual({})
  })
})

test('fields become a config and come back from it', () => {
  const full = config('Documents', {
    destination: s3, schedule: { type: 'hourly' }, uploadBytesPerSecond: 2_500_000,
    excludes: { patterns: ['*.iso', '!keep.iso'], presets: ['trash'], largerThanBytes: 4_000_000_000, oneFileSystem: false },
  })
  expect(configOf(fieldsOf({ ...job('j1', 'Documents'), config: full }, settings))).toEqual(full)
  expect(configOf({ ...onS3, prefix: '/a/b/', endpoint: ' ' }).destination).toEqual({ type: 's3', bucket: 'mia-backups', prefix: 'a/b' })
})

test('secrets that were not typed are absent', () => {
  expect(secretsOf({ ...onS3, password: '' })).toEqual({ storage: { accessKeyId: 'AK', secretAccessKey: 'SK' } })
  expect(secretsOf({ ...good })).toEqual({ password: 'tulip gravel omen' })
})

test('numbers take a decimal comma; names are suggested', () => {
  expect(parseMegabytes(' 2,5 ')).toBe(2_500_000)
  expect(parseMegabytes('')).toBeNaN()
  expect(suggestName(['/home/mia/Bücher/'], [])).toBe('B-cher')
  expect(suggestName(['C:\\Users\\mia\\Photos'], ['Photos', 'Photos 2'])).toBe('Photos 3')
  expect(suggestName([], [])).toBe('')
})

describe('the form', () => {
  const now = 1_800_000_000_000
  const filled = (api: FakeApi): JobForm => {
    const form = new JobForm(api, settings, api.app.jobs)
    Object.assign(form.fields, { ...good, name: 'New one' })
    return form
  }

  test('shows errors only of fields that were left, until it is sent', async () => {
    const api = new FakeApi('idle', now)
    const form = new JobForm(api, settings, api.app.jobs)
    expect(form.errors).toEqual({})
    form.leave('password')
    expect(form.errors).toEqual({ password: 'required' })
    expect(await form.save()).toBeUndefined()
    expect(Object.keys(form.errors).sort()).toEqual(['folder', 'name', 'password', 'sources'])
    expect(api.calls).toEqual([])
  })

  test('adds the job with its secrets and returns its id', async () => {
    const api = new FakeApi('idle', now)
    expect(await filled(api).save()).toBe('j5')
    expect(api.calls[0]).toMatchObject({ channel: 'job.add', request: { config: { name: 'New one' }, secrets: { password: good.password } } })
  })

  test('keeps what was typed when main refuses it', async () => {
    const api = new FakeApi('idle', now)
    api.failures.set('job.add', error('exists'))
    const form = filled(api)
    expect(await form.save()).toBeUndefined()
    expect(form.failure?.code).toBe('exists')
    expect(await form.save()).toBe('j5')
  })

  test('suggests a name until one was typed, and lists a folder once', () => {
    const api = new FakeApi('idle', now)
    const form = new JobForm(api, settings, api.app.jobs)
    form.addSources(['/home/mia/Documents', '/home/mia/Music'])
    form.addSources(['/home/mia/Music'])
    expect(form.fields.sources).toEqual(['/home/mia/Documents', '/home/mia/Music'])
    expect(form.fields.name).toBe('Documents 2')
    form.removeSource('/home/mia/Documents')
    form.fields.name = 'Mine'
    form.leave('name')
    form.addSources(['/home/mia/Videos'])
    expect(form.fields.name).toBe('Mine')
  })

  test('what the test found is forgotten when the destination changes', async () => {
    const api = new FakeApi('idle', now)
    const form = filled(api)
    Object.assign(form.fields, onS3, { confirmation: '' })
    await form.testDestination()
    expect(form.found?.repository).toBe('exists')
    expect(form.repositoryOpens).toBe(true)
    form.fields.bucket = 'another-bucket'
    expect(form.found).toBeUndefined()
    expect(form.repositoryOpens).toBe(false)
  })

  test('a wrong destination is not even tested', async () => {
    const api = new FakeApi('idle', now)
    const form = new JobForm(api, settings, api.app.jobs)
    await form.testDestination()
    expect(form.errors).toEqual({ folder: 'noFolder' })
    expect(api.calls).toEqual([])
  })
})
