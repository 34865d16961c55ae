import { execFileSync } from 'node:child_process'
import { hostname } from 'node:os'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { defaultRetention } from '../../../main/api/retention.ts'
import type { DestinationInput, JobConfigInput } from '../../../main/api/contract.ts'
import { settle } from '../fakes.ts'
import { inBucket, keyless, rejects, s3, secrets, setUp } from './handlers-world.ts'

describe('jobs', () => {
  it('are added with their secrets, changed, and removed with all that is theirs', async () => {
    const { handlers, store, learn, kept, history, ask, shown, asked } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: keyless })
    expect(asked).toEqual([])
    expect(store.get(jobId).config).toMatchObject({ sources: ['/home/u/docs'], destination: { path: '/backup' } })
    expect(kept(jobId)).toEqual({ ...keyless, storage: {} })
    await learn(jobId, 'ab', undefined)
    await handlers['job.update']({ jobId, config: { ...shown(jobId), name: 'other', concurrency: 9 }, secrets: { password: 'new' } })
    expect(store.get(jobId).config).toMatchObject({ name: 'docs', concurrency: 9 })
    expect(kept(jobId)).toEqual({ password: 'new', storage: {} })
    expect(asked).toEqual([])
    await handlers['job.remove']({ jobId })
    expect(asked).toMatchObject([{ title: 'Delete the job “docs”?' }])
    expect([store.all, history.last(jobId)]).toEqual([[], undefined])
  })

  it('that keep less than is usual, or than before, are asked about first', async () => {
    const { handlers, store, ask, shown, asked, person } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask({ retention: defaultRetention }), secrets: keyless })
    expect(asked).toEqual([])
    person.saysYes = false
    await rejects(handlers['job.add']({ config: ask({ name: 'few', retention: { last: 2 } }), secrets: keyless }), { code: 'aborted', data: { declined: true } })
    expect(asked).toMatchObject([{ title: 'Keep few snapshots of “few”?', detail: 'Older snapshots are removed; kept are: the last 2' }])
    await rejects(handlers['job.update']({ jobId, config: { ...shown(jobId), retention: { ...defaultRetention, daily: 29 } }, secrets: {} }), { code: 'aborted', data: { declined: true } })
    expect([asked.length, store.all.length, store.get(jobId).config.retention]).toEqual([2, 1, defaultRetention])
    person.saysYes = true
    await handlers['job.update']({ jobId, config: { ...shown(jobId), retention: { last: 2 } }, secrets: {} })
    await handlers['job.update']({ jobId, config: { ...shown(jobId), retention: {} }, secrets: {} })
    expect([asked.length, store.get(jobId).config.retention]).toEqual([3, {}])
  })

  it('that are changed or removed are no longer looked after by what they were before', async () => {
    const { handlers, ask, shown, learn, timers, care, last, store, history } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask({ retention: defaultRetention }), secrets: keyless })
    await learn(jobId, 'ab', undefined)
    for (const change of [() => handlers['job.update']({ jobId, config: { ...shown(jobId), retention: {} }, secrets: {} }), () => handlers['job.remove']({ jobId })]) {
      await timers.advance(86_400_000)
      care.tick()
      last().ready()
      const before = store.get(jobId).config.retention
      const changed = change()
      await settle()
      expect([last().got('stop').length, store.get(jobId).config.retention]).toEqual([1, before])
      last().says({ type: 'failed', error: { code: 'aborted', message: '', retryable: false } })
      last().exit('code 1')
      await changed
    }
    expect([store.all, history.last(`care-${jobId}`)]).toEqual([[], undefined])
  })

  it('need a password, a name of their own, and a destination outside their sources', async () => {
    const { handlers, store, ask, chosen } = setUp()
    const add = (changes: Partial<JobConfigInput>, given: object = keyless) => handlers['job.add']({ config: ask(changes), secrets: given })
    await rejects(add({}, {}), { code: 'arguments', data: { field: 'secrets.password' } })
    await rejects(add({ destination: { type: 'folder', folder: chosen('destination', '/home/u/docs/backup') } }), { data: { field: 'config.destination' } })
    await rejects(add({ sources: [chosen('sources', '/a'), chosen('sources', '/a')] }), { data: { field: 'config.sources' } })
    await add({})
    await rejects(add({ name: 'DOCS' }), { code: 'exists' })
    expect(store.all).toHaveLength(1)
  })

  it('are at most 200', async () => {
    const { handlers, add, ask } = setUp()
    for (let one = 0; one < 200; one++) await add(`job ${one}`)
    await rejects(handlers['job.add']({ config: ask(), secrets: keyless }), { code: 'unsupported', data: { reason: 'many-jobs' } })
  })

  it('stay while they run, and when the person says no', async () => {
    const { handlers, store, ask, person, asked } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: keyless })
    person.saysYes = false
    await rejects(handlers['job.remove']({ jobId }), { code: 'aborted', data: { declined: true } })
    await handlers['job.run']({ jobId })
    await rejects(handlers['job.remove']({ jobId }), { code: 'busy' })
    expect(asked).toHaveLength(1)
    expect(store.all).toHaveLength(1)
  })

  it('go on with an older repository only when the person says so', async () => {
    const { handlers, ask, asked, person, last, hosts } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: keyless })
    person.saysYes = false
    await rejects(handlers['job.acceptOlder']({ jobId }), { code: 'aborted', data: { declined: true } })
    expect(hosts).toHaveLength(0)
    person.saysYes = true
    await handlers['job.acceptOlder']({ jobId })
    expect(asked).toMatchObject([{ title: 'Go on with the older backup of “docs”?' }, { yes: 'Use the older backup' }])
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ job: { type: 'backup', acceptOlderRepository: true } })
    await rejects(handlers['job.acceptOlder']({ jobId }), { code: 'busy' })
    last().finish()
    await settle()
    // It was said for that run.
    await handlers['job.run']({ jobId })
    last().ready()
    expect(last().got('start')[0]).not.toHaveProperty('job.acceptOlderRepository')
  })

  it('forget the repository when they move to another destination, and only then', async () => {
    const { handlers, store, learn, ask, shown, last } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: keyless })
    await learn(jobId, 'ab', undefined)
    await handlers['job.update']({ jobId, config: { ...shown(jobId), concurrency: 2 }, secrets: {} })
    expect(store.get(jobId).repository.repositoryId).toBe('ab')
    const moving = handlers['job.update']({ jobId, config: { ...shown(jobId), destination: s3 }, secrets })
    last().ready()
    last().finish({ operation: 'test', details: { repository: 'exists', repositoryId: 'cd', exclusiveCreate: true } })
    await moving
    expect(store.get(jobId).repository).not.toHaveProperty('repositoryId')
  })
})

describe('folders', () => {
  it('that nobody chose, or chose for something else, are good for nothing', async () => {
    const { handlers, store, ask, chosen, hosts } = setUp()
    const strange = { id: 'c0ffee' }
    const forRestore = chosen('restore', '/home/u')
    const forBackup = chosen('destination', '/media/disk')
    const refused = { code: 'arguments', data: { reason: 'folder' } }
    for (const one of [strange, forRestore, forBackup]) await rejects(handlers['job.add']({ config: ask({ sources: [one] }), secrets: keyless }), refused)
    for (const one of [strange, forRestore, chosen('sources', '/home/u')]) {
      const destination: DestinationInput = { type: 'folder', folder: one }
      await rejects(handlers['job.add']({ config: ask({ destination }), secrets: keyless }), refused)
      await rejects((async () => handlers['destination.test']({ destination, secrets: {} }))(), refused)
    }
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: keyless })
    for (const target of [strange, forBackup, chosen('sources', '/home/u')]) {
      await rejects(handlers['restore.start']({ place: { jobId }, snapshot: 'docs@1', target, paths: [], except: [], overwrite: 'always' }), refused)
    }
    expect(store.all).toHaveLength(1)
    expect(hosts).toEqual([])
  })

  it('that a job holds are good for that job alone', async () => {
    const { handlers, ask, shown, store } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: keyless })
    const { sources, destination } = shown(jobId)
    const refused = { code: 'arguments', data: { reason: 'folder' } }
    await rejects(handlers['job.add']({ config: ask({ name: 'b', sources }), secrets: keyless }), refused)
    await rejects(handlers['job.add']({ config: ask({ name: 'b', destination }), secrets: keyless }), refused)
    const other = await handlers['job.add']({ config: ask({ name: 'b' }), secrets: keyless })
    await rejects(handlers['job.update']({ jobId: other.jobId, config: { ...shown(other.jobId), sources }, secrets: {} }), refused)
    await handlers['job.update']({ jobId, config: { ...shown(jobId), concurrency: 3 }, secrets: {} })
    expect(store.get(jobId).config).toMatchObject({ concurrency: 3, sources: ['/home/u/docs'] })
  })

  it('to restore to are good for one restore, which a failed or declined start is not', async () => {
    const { handlers, ask, chosen, person, asked, secrets: store, restores, repositoryOf } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: keyless })
    const request = { place: { jobId }, snapshot: 'docs@1', target: chosen('restore', '/tmp/out'), paths: [], except: [], overwrite: 'never' as const }
    await store.remove(repositoryOf(jobId))
    await rejects(handlers['restore.start'](request), { code: 'password' })
    await store.set(repositoryOf(jobId), 'file:///backup', { ...keyless, storage: {} })
    await handlers['restore.start'](request)
    expect(asked).toEqual([])
    await rejects(handlers['restore.start'](request), { code: 'arguments', data: { reason: 'folder' } })
    const special = { ...request, target: chosen('restore', '/home/u/.config') }
    person.saysYes = false
    await rejects(handlers['restore.start'](special), { code: 'aborted' })
    person.saysYes = true
    await handlers['restore.start'](special)
    expect(asked.map((one) => one.title)).toEqual(['Restore into /home/u/.config?', 'Restore into /home/u/.config?'])
    expect(restores.views.map((one) => one.target)).toEqual(['/home/u/.config', '/tmp/out'])
  })

  it('that files were in are restored to only where a job with that repository has them, and never without a question', async () => {
    const { handlers, ask, person, asked, last } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: keyless })
    const request = { place: { jobId }, snapshot: 'docs@1', target: { original: true as const }, paths: [], except: [], overwrite: 'changed' as const }
    person.saysYes = false
    await rejects(handlers['restore.start'](request), { code: 'aborted' })
    person.saysYes = true
    await handlers['restore.start'](request)
    expect(asked.map(({ title, detail }) => [title, detail.split('\n')[0]])).toEqual([['Restore to where the files were?', '/home/u/docs'], ['Restore to where the files were?', '/home/u/docs']])
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ job: { target: { origins: ['/home/u/docs'] } } })
    await rejects(handlers['restore.start']({ ...request, place: { visitId: 'v1' } }), { code: 'not-found' })
  })
})

describe('a storage on the network', () => {
  it('is asked about once, before anything goes there', async () => {
    const { handlers, ask, asked, person, store } = setUp()
    person.saysYes = false
    await rejects(handlers['job.add']({ config: ask({ destination: s3 }), secrets }), { code: 'aborted' })
    expect(store.all).toEqual([])
    person.saysYes = true
    await handlers['job.add']({ config: ask({ destination: s3 }), secrets })
    await handlers['job.add']({ config: ask({ destination: inBucket({ prefix: 'd' }), name: 'b' }), secrets })
    for (const change of [{ bucket: 'other' }, { endpoint: 'https://evil.example' }, { region: 'eu-2' }]) {
      await handlers['job.add']({ config: ask({ destination: inBucket(change), name: Object.keys(change).join('') }), secrets })
    }
    expect(asked.map((one) => one.title)).toEqual([
      'Send backups to bucket/a b/c on 127.0.0.1:8000?', 'Send backups to bucket/a b/c on 127.0.0.1:8000?',
      'Send backups to other/a b/c on 127.0.0.1:8000?', 'Send backups to bucket/a b/c on evil.example?', 'Send backups to bucket/a b/c on 127.0.0.1:8000?',
    ])
    expect(asked[0]?.detail).toContain('/home/u/docs')
  })
})

describe('a job that protects less', () => {
  it('is asked about, with all that it would lose; more protection is not', async () => {
    const { handlers, ask, shown, asked, person, store, chosen } = setUp()
    const first = ask({ sources: [chosen('sources', '/home/u/docs'), chosen('sources', '/home/u/photos')], schedule: { type: 'hourly' } })
    const { jobId } = await handlers['job.add']({ config: first, secrets: keyless })
    const old = shown(jobId)
    person.saysYes = false
    const less: JobConfigInput = {
      ...old, sources: old.sources.slice(0, 1), schedule: { type: 'manual' },
      excludes: { patterns: ['*\u202e.txt'], presets: ['trash'], largerThanBytes: 1, oneFileSystem: true },
    }
    await rejects(handlers['job.update']({ jobId, config: less, secrets: {} }), { code: 'aborted' })
    expect(asked[0]?.detail.split('\n')).toEqual([
      'No longer backed up: /home/u/photos', 'Left out: *\\u{202e}.txt', 'Left out: trash', 'Left out: files larger than 1 bytes',
      'Left out: other disks inside of its folders', 'Runs only when you start it',
    ])
    expect(store.get(jobId).config).toMatchObject({ schedule: { type: 'hourly' }, sources: ['/home/u/docs', '/home/u/photos'] })
    person.saysYes = true
    await handlers['job.update']({ jobId, config: less, secrets: {} })
    asked.length = 0
    await handlers['job.update']({ jobId, config: { ...shown(jobId), sources: [...shown(jobId).sources, chosen('sources', '/srv')], schedule: { type: 'daily', at: '10:00' }, excludes: old.excludes }, secrets: {} })
    expect(asked).toEqual([])
  })

  it('another password is asked about as long as the repository is yet to be made', async () => {
    const { handlers, ask, shown, asked, kept, learn, person } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: keyless })
    const change = (password: string) => handlers['job.update']({ jobId, config: shown(jobId), secrets: { password } })
    await change('pw')
    expect(asked).toEqual([])
    person.saysYes = false
    await rejects(change('mine'), { code: 'aborted' })
    expect(kept(jobId)?.password).toBe('pw')
    await learn(jobId, 'ab', undefined)
    await change('mine')
    expect([asked.length, kept(jobId)?.password]).toEqual([1, 'mine'])
  })
})

describe('destination.test', () => {
  it('gives the engine an address without secrets and the secrets apart, and passes on what it found', async () => {
    const { handlers, last } = setUp()
    const asked = handlers['destination.test']({ destination: s3, secrets: { storage: secrets.storage } })
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ job: { type: 'test', repository: 's3://bucket/a%20b/c?endpoint=http%3A%2F%2F127.0.0.1%3A8000&region=eu-1' }, secrets: { password: '', storage: secrets.storage } })
    last().finish({ operation: 'test', details: { repository: 'exists', repositoryId: 'ab', exclusiveCreate: true, more: 1 } })
    expect(await asked).toEqual({ repository: 'exists', repositoryId: 'ab', exclusiveCreate: true })
  })

  it('takes what is absent from the job, for the place of that job alone, and expects its repository there', async () => {
    const { handlers, last, ask, learn } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask({ destination: s3 }), secrets })
    await learn(jobId, 'ab', undefined)
    const tried = async (destination: DestinationInput): Promise<unknown> => {
      const asked = Promise.resolve(handlers['destination.test']({ destination, secrets: {}, jobId })).catch(() => undefined)
      last().ready()
      const [start] = last().got('start')
      last().exit('code 1')
      await asked
      return start
    }
    expect(await tried(s3)).toMatchObject({ secrets, job: { expectRepositoryId: 'ab' } })
    for (const change of [{ endpoint: 'http://evil.example' }, { bucket: 'other' }, { prefix: undefined }, { region: 'us-east-1' }]) {
      // The password is tried on the job's own repository alone, and the keys go nowhere.
      expect(await tried(inBucket(change))).toMatchObject({ secrets: { password: secrets.password, storage: {} }, job: { expectRepositoryId: 'ab' } })
    }
  })

  it('says what went wrong, also when nothing answers', async () => {
    const { handlers, last, timers } = setUp()
    const refused = Promise.resolve(handlers['destination.test']({ destination: s3, secrets: {} }))
    last().ready()
    last().says({ type: 'failed', error: { code: 'credentials', message: 'no', retryable: false } })
    last().exit('code 1')
    await expect(refused).rejects.toMatchObject({ wire: { code: 'credentials' } })
    const silent = Promise.resolve(handlers['destination.test']({ destination: s3, secrets: {} }))
    const outcome = silent.catch((error: unknown) => error)
    last().ready()
    for (let beat = 0; beat < 4; beat++) {
      last().says({ type: 'heartbeat' })
      await timers.advance(10_000)
    }
    expect(await outcome).toMatchObject({ code: 'offline' })
  })
})

describe('engines', () => {
  it('are started one at a time for tests, and not without end', async () => {
    const { handlers, last, hosts, timers } = setUp()
    const test = (): Promise<unknown> => Promise.resolve(handlers['destination.test']({ destination: s3, secrets: {} })).catch((error: unknown) => error)
    const first = test()
    expect(await test()).toMatchObject({ code: 'busy', data: { pace: true } })
    last().exit('code 1')
    await first
    for (let turn = 1; turn < 12; turn++) {
      const asked = test()
      last().exit('code 1')
      await asked
    }
    expect(await test()).toMatchObject({ code: 'busy', data: { pace: true } })
    expect(hosts).toHaveLength(12)
    await timers.advance(2_000)
    void test()
    expect(hosts).toHaveLength(13)
  })

  it('are three at most for browsing: the one that was longest not asked makes room', async () => {
    const { handlers, hosts, add } = setUp()
    const jobs = await Promise.all(['a', 'b', 'c', 'd'].map((name) => add(name)))
    const ask = (at: number): void => { void Promise.resolve(handlers['browse.snapshots']({ place: { jobId: jobs[at] ?? '' } })).catch(() => undefined) }
    for (const at of [0, 1, 2, 0, 3]) ask(at)
    await settle()
    expect(hosts.map((host) => host.killed || host.got('stop').length > 0 || host.commands.length === 0)).toHaveLength(4)
    expect(hosts).toHaveLength(4)
    for (let more = 0; more < 40; more++) ask(3)
    await expect(Promise.resolve(handlers['browse.snapshots']({ place: { jobId: jobs[3] ?? '' } }))).rejects.toMatchObject({ code: 'busy' })
  })

  it('are four at most for restores, and the list of ended ones has an end', async () => {
    const { handlers, ask, chosen, last, restores } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: keyless })
    const start = () => handlers['restore.start']({ place: { jobId }, snapshot: 'docs@1', target: chosen('restore', '/tmp/out'), paths: [], except: [], overwrite: 'never' })
    for (let one = 0; one < 60; one++) {
      await start()
      last().exit('code 1')
      await settle()
    }
    expect(restores.views).toHaveLength(50)
    for (let one = 0; one < 4; one++) await start()
    await rejects(start(), { code: 'busy', data: { pace: true } })
  })
})

it('the command that backs up a job goes to the clipboard, each word whole, and no secret', async () => {
  const { handlers, clipboard, ask, store } = setUp()
  const base = ask()
  const { jobId } = await handlers['job.add']({ config: { ...base, excludes: { patterns: ["it's *.tmp", '$(id)'], presets: ['caches'], oneFileSystem: true }, concurrency: 3, uploadBytesPerSecond: 5000 }, secrets: keyless })
  await handlers['job.copyCommand']({ jobId })
  const [command = ''] = clipboard
  const { config: { name, sources, destination }, host } = store.get(jobId)
  const words = execFileSync('sh', ['-c', `set -- ${command}; printf '%s\\n' "$@"`], { encoding: 'utf8' }).trimEnd().split('\n')
  const folder = destination.type === 'folder' ? pathToFileURL(destination.path).href : ''
  expect(words).toEqual([
    'holdfast', 'backup', ...sources, '--job', name, '--host', host ?? hostname(), '--exclude', "it's *.tmp", '--exclude', '$(id)', '--exclude-preset', 'caches', '--one-file-system',
    '--repo', folder, '--concurrency', '3', '--limit-upload', '5000',
  ])
  expect(command).not.toContain(keyless.password)
  await rejects(Promise.resolve().then(() => handlers['job.copyCommand']({ jobId: 'gone' })), { code: 'not-found' })
})

it('the log of a run goes to the clipboard', async () => {
  const { handlers, clipboard } = setUp()
  expect(await handlers['history.copyLog']({ jobId: 'j', runId: 'r-1' })).toEqual({ lines: 1 })
  expect(clipboard).toEqual(['line of r-1'])
})

it('pause and stop of what does not run do nothing', async () => {
  const { handlers, hosts, ask } = setUp()
  const { jobId } = await handlers['job.add']({ config: ask(), secrets: keyless })
  await handlers['job.pause']({ jobId })
  await handlers['job.resume']({ jobId })
  await handlers['job.stop']({ jobId, mode: 'cancel' })
  await settle()
  expect(hosts).toEqual([])
})
