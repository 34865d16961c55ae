import { describe, expect, test } from 'vitest'
import { hasMoved } from '../../../renderer/state/destination-form.ts'
import { configOf, fieldsOf, newFields, parseMegabytes, secretsOf, suggestName, validate, type JobFields } from '../../../renderer/state/job-form.ts'
import { JobForm } from '../../../renderer/state/job-form.svelte.ts'
import { providers } from '../../../main/api/providers.ts'
import { error, FakeApi } from '../fake-api.ts'
import { config, folderAt, job, s3, settings, shownConfig } from '../fixtures.ts'

const facts = { editing: false, takenNames: ['Photos'], repositoryOpens: false, storedKeys: false, moved: false, sameRepository: false, expectsRepository: false, passwordSeen: false }
const good: JobFields = {
  ...newFields(settings), name: 'Documents', sources: [folderAt('/home/mia/Documents')], folder: folderAt('/media/disk'), password: 'tulip gravel omen', confirmation: 'tulip gravel omen',
}
const onS3: JobFields = { ...good, destination: 's3', values: { bucket: 'mia-backups' }, keys: { accessKeyId: 'AK', secretAccessKey: 'SK' } }

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
    ['a destination inside a source', { folder: folderAt('/home/mia/Documents/backup') }, { folder: 'insideSource' }],
    ['a destination that is a source', { folder: folderAt('/home/mia/Documents') }, { folder: 'insideSource' }],
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

  test('a storage wants its place and its keys; kept keys need not be typed again, and are replaced as a whole', () => {
    expect(validate({ ...onS3, values: { endpoint: 's3.example.com' }, keys: { accessKeyId: 'AK' } }, facts)).toEqual({
      'value.bucket': 'required', 'value.endpoint': { words: expect.stringContaining('endpoint') as string }, 'key.secretAccessKey': 'required',
    })
    expect(validate({ ...onS3, keys: { accessKeyId: ' ' } }, { ...facts, storedKeys: true })).toEqual({})
    expect(validate({ ...onS3, keys: { accessKeyId: 'AK' } }, { ...facts, storedKeys: true })).toEqual({ 'key.secretAccessKey': 'required' })
    expect(validate({ ...onS3, values: { bucket: 'No Spaces' } }, facts)).toEqual({ 'value.bucket': { words: expect.stringContaining('bucket') as string } })
  })

  test('a neighbour of a source with the same beginning is a fine destination', () => {
    expect(validate({ ...good, folder: folderAt('/home/mia/Documents-backup') }, facts)).toEqual({})
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
  const sent = configOf(fieldsOf({ ...job('j1', 'Documents'), config: full }, settings))
  // A folder travels by id alone.
  expect(sent.sources).toEqual([{ id: '/home/mia/Documents' }])
  expect(shownConfig(sent)).toEqual(full)
  expect(configOf({ ...onS3, values: { bucket: ' mia-backups ', prefix: '/a/b/', endpoint: ' ' } }).destination).toEqual({ type: 'provider', provider: 's3', values: { bucket: 'mia-backups', prefix: 'a/b' } })
})

test('secrets that were not typed are absent', () => {
  expect(secretsOf({ ...onS3, password: '' })).toEqual({ storage: { accessKeyId: 'AK', secretAccessKey: 'SK' } })
  expect(secretsOf({ ...good })).toEqual({ password: 'tulip gravel omen' })
})

test('numbers take a decimal comma; names are suggested', () => {
  expect(parseMegabytes(' 2,5 ')).toBe(2_500_000)
  expect(parseMegabytes('')).toBeNaN()
  expect(suggestName([folderAt('/home/mia/Bücher/')], [])).toBe('B-cher')
  expect(suggestName([folderAt('C:\\Users\\mia\\Photos')], ['Photos', 'Photos 2'])).toBe('Photos 3')
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
    form.addSources(['/home/mia/Documents', '/home/mia/Music'].map(folderAt))
    form.addSources([{ id: 'chosen-again', path: '/home/mia/Music' }])
    expect(form.fields.sources).toEqual(['/home/mia/Documents', '/home/mia/Music'].map(folderAt))
    expect(form.fields.name).toBe('Documents 2')
    form.removeSource(folderAt('/home/mia/Documents'))
    form.fields.name = 'Mine'
    form.leave('name')
    form.addSources([folderAt('/home/mia/Videos')])
    expect(form.fields.name).toBe('Mine')
  })

  test('what the test found is forgotten when the destination changes', async () => {
    const api = new FakeApi('idle', now)
    const form = filled(api)
    Object.assign(form.fields, onS3, { confirmation: '' })
    await form.testDestination()
    expect(form.found?.repository).toBe('exists')
    expect(form.repositoryOpens).toBe(true)
    form.fields.values['bucket'] = 'another-bucket'
    expect(form.found).toBeUndefined()
    expect(form.repositoryOpens).toBe(false)
  })

  test('a job that moves needs its password and keys anew; one that stays needs neither', () => {
    const api = new FakeApi('idle', now)
    const onDisk = job('j2', 'Photos')
    const inBucket = job('j1', 'Documents', {}, { destination: s3 })
    const form = new JobForm(api, settings, api.app.jobs, inBucket)
    expect([form.moved, form.storedKeys]).toEqual([false, true])
    form.leave('password')
    form.leave('key.accessKeyId')
    expect(form.errors).toEqual({})
    form.fields.values['endpoint'] = 'https://elsewhere.example.com'
    expect([form.moved, form.storedKeys]).toEqual([true, false])
    expect(form.errors).toEqual({ password: 'passwordAgain', 'key.accessKeyId': 'required' })
    const fields = fieldsOf(onDisk, settings)
    expect(hasMoved(fields, onDisk)).toBe(false)
    expect(hasMoved({ ...fields, folder: { id: 'chosen', path: '/media/mia/Backup/holdfast' } }, onDisk)).toBe(false)
    const changes = [{ folder: folderAt('/media/other') }, onS3]
    for (const change of changes) expect(hasMoved({ ...fields, ...change }, onDisk)).toBe(true)
    const stored = fieldsOf(inBucket, settings)
    for (const change of [{ bucket: 'other' }, { prefix: 'x' }, { endpoint: '' }, { region: 'us-east-1' }]) {
      expect(hasMoved({ ...stored, values: { ...stored.values, ...change } }, inBucket)).toBe(true)
    }
    expect(hasMoved({ ...stored, values: { ...stored.values, endpoint: ' https://s3.EU-central-1.example.com/ ' } }, inBucket)).toBe(false)
    for (const destination of ['folder', 'dropbox']) expect(hasMoved({ ...stored, destination }, inBucket)).toBe(true)
  })

  test('where the test finds the job’s own repository, no password is asked for', async () => {
    const api = new FakeApi('idle', now)
    const form = new JobForm(api, settings, api.app.jobs, job('j1', 'Documents', {}, { destination: s3 }))
    Object.assign(form.fields.values, { endpoint: 'https://elsewhere.example.com' })
    Object.assign(form.fields.keys, { accessKeyId: 'AK', secretAccessKey: 'SK' })
    api.sameRepository = true
    await form.testDestination()
    expect([form.moved, form.sameRepository]).toEqual([true, true])
    expect(await form.save()).toBe('j1')
    expect(api.calls.at(-1)).toMatchObject({ channel: 'job.update', request: { secrets: { storage: { accessKeyId: 'AK', secretAccessKey: 'SK' } } } })
    form.fields.values['bucket'] = 'other'
    expect(form.sameRepository).toBe(false)
  })

  test('another kind of destination begins empty, and what the job has comes back', () => {
    const api = new FakeApi('idle', now)
    const form = new JobForm(api, settings, api.app.jobs, job('j1', 'Documents', {}, { destination: s3 }))
    form.fields.values['bucket'] = 'typed'
    form.fields.keys['secretAccessKey'] = 'SK'
    form.chooseDestination('dropbox')
    expect([form.fields.values, form.fields.keys]).toEqual([{}, {}])
    form.chooseDestination('s3')
    expect([form.fields.values, form.fields.keys]).toEqual([s3.values, {}])
  })

  test('a preset fills in what it knows and leaves the rest', () => {
    const api = new FakeApi('idle', now)
    const form = new JobForm(api, settings, api.app.jobs)
    for (const provider of providers) {
      form.chooseDestination(provider.id)
      for (const preset of provider.presets ?? []) {
        form.fields.values = Object.fromEntries(provider.fields.map(({ name }) => [name, 'typed']))
        form.applyPreset(preset.name)
        expect(form.fields.values).toEqual({ ...Object.fromEntries(provider.fields.map(({ name }) => [name, 'typed'])), ...preset.values })
      }
    }
  })

  test('a no in main’s own dialog leaves the form as it was, without a complaint', async () => {
    const api = new FakeApi('idle', now)
    api.failures.set('job.add', { ...error('aborted'), data: { declined: true } })
    const form = filled(api)
    expect(await form.save()).toBeUndefined()
    expect([form.failure, form.saving, form.fields.name]).toEqual([undefined, false, 'New one'])
  })

  test('a wrong destination is not even tested', async () => {
    const api = new FakeApi('idle', now)
    const form = new JobForm(api, settings, api.app.jobs)
    await form.testDestination()
    expect(form.errors).toEqual({ folder: 'noFolder' })
    expect(api.calls).toEqual([])
  })
})
