import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { channels, type AppState, type Channel, type FolderView, type JobView, type Reply } from '../../main/api/contract.ts'
import { providers } from '../../main/api/providers.ts'
import { exampleValues } from '../engine/protocol/providers/example-values.ts'
import { describeTree } from '../fixtures/tree.ts'
import { launchApp } from './harness/app.ts'
import { openAttackerServer, send } from './harness/attacker.ts'
import { enginesOf } from './harness/engines.ts'
import { freshFolder } from './harness/folder.ts'
import { reportAttacks } from './harness/report-attacks.ts'
import { findTraces } from './harness/traces.ts'
import { idOf, inputOf, invented, restoring, type Attack, type Scene } from './harness/attack-scene.ts'
import { attacksOnRestores } from './harness/attacks-on-restores.ts'
import { User } from './harness/user.ts'

/** What is kept, and must not leave. */
const password = 'canary "tulip" 51f0 grävel'
const keys = { accessKeyId: 'KEPTKEYID0123456789', secretAccessKey: 'kept/secret+key=0123456789' }
/** What the attacker brings along. */
const own = { password: 'the attacker knows this', storage: { accessKeyId: 'ATTACKERKEY', secretAccessKey: 'attacker-secret' } }

const nothingLeftOut = { patterns: [], presets: [], oneFileSystem: false } as const
const terms = { excludes: nothingLeftOut, concurrency: 4, schedule: { type: 'manual' } } as const
const theirs = ({ server }: Scene) => ({ type: 'provider', provider: 's3', values: { endpoint: server.endpoint, region: 'us-east-1', bucket: 'attacker' } }) as const

function withValue({ config: { destination } }: JobView, name: string, value: string): unknown {
  return destination.type === 'provider' ? { ...destination, values: { ...destination.values, [name]: value } } : destination
}

const job = (sources: unknown, destination: unknown): object => ({ name: 'attack', sources, destination, ...terms })

/** What each channel is tried with, by somebody who can run any script in the window. A channel without a row fails the test. */
const attacks: Readonly<Record<Channel, (scene: Scene) => readonly Attack[]>> = {
  'state.get': () => [['asks for all there is', undefined, 'allowed'], ['asks for more', { secrets: true }, 'arguments']],
  'job.add': (scene) => [
    ['reads a folder by its path', { config: job(['/etc'], theirs(scene)), secrets: own }, 'arguments'],
    ['reads a folder by a view of its own', { config: job([{ id: 'a', path: '/etc' }], theirs(scene)), secrets: own }, 'arguments'],
    ['reads a folder by an invented id', { config: job([invented], theirs(scene)), secrets: own }, 'arguments'],
    ['reads the folder of backups', { config: job([idOf(scene.chosen.destination)], theirs(scene)), secrets: own }, 'arguments'],
    ['reads where files were to be restored', { config: job([idOf(scene.chosen.home)], theirs(scene)), secrets: own }, 'arguments'],
    ['sends what another job backs up', { config: job(scene.local.config.sources.map(idOf), theirs(scene)), secrets: own }, 'arguments'],
    ['sends what a person chose to a storage that nobody chose', { config: job([idOf(scene.chosen.sources)], theirs(scene)), secrets: own }, 'aborted'],
    ['writes a repository anywhere', { config: job([idOf(scene.chosen.sources)], { type: 'folder', path: scene.app.home }), secrets: own }, 'arguments'],
    ['writes a repository where files are read', { config: job([idOf(scene.chosen.sources)], { type: 'folder', folder: idOf(scene.chosen.sources) }), secrets: own }, 'arguments'],
    // Whatever storages there will be: none gets anything before a person has said so outside of the window.
    ...providers.flatMap((provider): Attack[] => {
      const there = { type: 'provider', provider: provider.id, values: exampleValues(provider) }
      const storage = Object.fromEntries(provider.secrets.filter(({ required }) => required).map(({ name }) => [name, 'x']))
      return [
        [`sends what a person chose to ${provider.name}`, { config: job([idOf(scene.chosen.sources)], there), secrets: { password: own.password, ...(provider.secrets.length > 0 && { storage }) } }, 'aborted'],
        [`adds a setting of its own to ${provider.name}`, { config: job([idOf(scene.chosen.sources)], { ...there, values: { ...there.values, command: 'id' } }), secrets: own }, 'arguments'],
      ]
    }),
    ['backs up the home, which nobody has chosen', { config: job([idOf(scene.proposed)], { type: 'folder', folder: idOf(scene.chosen.destination) }), secrets: { password: own.password } }, 'aborted'],
    ['writes a repository at an address of another kind', { config: job([idOf(scene.chosen.sources)], { type: 'memory', name: 'x' }), secrets: own }, 'arguments'],
  ],
  'job.update': (scene) => {
    const [local, cloud] = [inputOf(scene.local), inputOf(scene.cloud)]
    const elsewhere = { jobId: scene.cloud.id, config: { ...cloud, destination: theirs(scene) } }
    return [
      ['sends the kept keys elsewhere', { ...elsewhere, secrets: {} }, 'arguments'],
      ['makes a repository elsewhere under the kept password', { ...elsewhere, secrets: { storage: own.storage } }, 'arguments'],
      ['makes one in another bucket', { jobId: scene.cloud.id, config: { ...cloud, destination: withValue(scene.cloud, 'bucket', 'another') }, secrets: { storage: own.storage } }, 'arguments'],
      ['makes one of a job with a folder', { jobId: scene.local.id, config: { ...local, destination: theirs(scene) }, secrets: { storage: own.storage } }, 'arguments'],
      ['moves the job with secrets of its own', { ...elsewhere, secrets: own }, 'aborted'],
      ['moves the job to a folder of another job', { jobId: scene.cloud.id, config: { ...cloud, destination: local.destination }, secrets: { password: own.password } }, 'arguments'],
      ['moves the job to another folder', { jobId: scene.local.id, config: { ...local, destination: { type: 'folder', folder: idOf(scene.chosen.destination) } }, secrets: { password: own.password } }, 'aborted'],
      ['backs up the home too', { jobId: scene.local.id, config: { ...local, sources: [...local.sources, idOf(scene.proposed)] }, secrets: {} }, 'aborted'],
      ['backs up any folder', { jobId: scene.local.id, config: { ...local, sources: ['/etc'] }, secrets: {} }, 'arguments'],
      ['backs up the source of another job', { jobId: scene.cloud.id, config: { ...cloud, sources: local.sources }, secrets: {} }, 'arguments'],
      ['leaves everything out', { jobId: scene.local.id, config: { ...local, excludes: { ...local.excludes, patterns: ['*'] } }, secrets: {} }, 'aborted'],
      ['all but stops its uploads', { jobId: scene.local.id, config: { ...local, uploadBytesPerSecond: 1 }, secrets: {} }, 'aborted'],
      ['keeps next to nothing', { jobId: scene.local.id, config: { ...local, retention: { last: 1 } }, secrets: {} }, 'aborted'],
      ['never runs it again', { jobId: scene.local.id, config: { ...local, schedule: { type: 'manual' } }, secrets: {} }, 'aborted'],
      ['runs it only where nobody ever is', { jobId: scene.local.id, config: { ...local, conditions: { networks: { rule: 'only', names: ['nowhere'] } } }, secrets: {} }, 'aborted'],
      ['runs it on leap days only', { jobId: scene.local.id, config: { ...local, schedule: { type: 'cron', expression: '0 0 29 2 *' } }, secrets: {} }, 'aborted'],
      ['has a repository made under its own password', { jobId: scene.cloud.id, config: cloud, secrets: { password: own.password } }, 'aborted'],
    ]
  },
  'job.remove': ({ local }) => [['forgets a job', { jobId: local.id }, 'aborted'], ['forgets one by a strange id', { jobId: '__proto__' }, 'arguments']],
  'job.acknowledge': ({ local }) => [['lets go of what is kept for an unusual change', { jobId: local.id }, 'aborted'], ['of a job that is not there', { jobId: 'constructor' }, 'not-found'], ['of another computer, which it made up', { jobId: local.id, of: { job: 'docs', host: 'attic' } }, 'not-found']],
  'job.acceptOlder': ({ local }) => [['takes an older backup for the newest', { jobId: local.id }, 'aborted'], ['of a job that is not there', { jobId: 'constructor' }, 'not-found']],
  'job.run': ({ local }) => [['runs what is not there', { jobId: 'constructor' }, 'not-found'], ['runs it with words of its own', { jobId: local.id, arguments: ['--repo'] }, 'arguments']],
  'job.copyCommand': ({ local }) => [['copies what is not there', { jobId: 'constructor' }, 'not-found'], ['copies words of its own', { jobId: local.id, text: 'rm -rf ~' }, 'arguments'], ['copies the command', { jobId: local.id }, 'allowed']],
  'job.care': ({ local }) => [['looks after what is not there', { jobId: 'constructor' }, 'not-found'], ['looks after it by rules of its own', { jobId: local.id, retention: { last: 1 } }, 'arguments']],
  'job.pause': () => [['pauses what is not there', { jobId: 'constructor' }, 'allowed']],
  'job.resume': () => [['resumes what is not there', { jobId: 'constructor' }, 'allowed']],
  'job.stop': () => [['stops what is not there', { jobId: 'constructor', mode: 'cancel' }, 'allowed'], ['stops by a signal', { jobId: 'a', mode: 'SIGKILL' }, 'arguments']],
  'jobs.pauseAll': () => [['pauses everything, which the tray shows', { length: 'resumed' }, 'allowed'], ['pauses it for a century', { length: 876_000 }, 'arguments']],
  'jobs.resumeAll': () => [['goes on', undefined, 'allowed']],
  'copy.add': (scene) => {
    const copy = { jobId: scene.local.id, secrets: own, removeVanished: true }
    return [
      ['sends the backup to a storage that nobody chose', { ...copy, destination: theirs(scene) }, 'aborted'],
      ['sends it there under the kept password', { ...copy, destination: theirs(scene), secrets: { storage: own.storage } }, 'arguments'],
      ...providers.map((provider): Attack => {
        const storage = Object.fromEntries(provider.secrets.filter(({ required }) => required).map(({ name }) => [name, 'x']))
        const destination = { type: 'provider', provider: provider.id, values: exampleValues(provider) }
        return [`sends it to ${provider.name}`, { ...copy, destination, secrets: { password: own.password, ...(provider.secrets.length > 0 && { storage }) } }, 'aborted']
      }),
      ['writes it anywhere', { ...copy, destination: { type: 'folder', path: scene.app.home } }, 'arguments'],
      ['writes it by an invented id', { ...copy, destination: { type: 'folder', folder: invented } }, 'arguments'],
      ['writes it where files are read', { ...copy, destination: { type: 'folder', folder: idOf(scene.chosen.sources) } }, 'arguments'],
      ['writes it where files were to be restored', { ...copy, destination: { type: 'folder', folder: idOf(scene.chosen.home) } }, 'arguments'],
      ['writes it into the backup itself', { ...copy, destination: inputOf(scene.local).destination }, 'arguments'],
      ['copies by rules of its own', { ...copy, destination: theirs(scene), groups: ['*'] }, 'arguments'],
      ['copies what is not there', { ...copy, jobId: 'constructor', destination: theirs(scene) }, 'not-found'],
    ]
  },
  'copy.remove': () => [['forgets what is not there', { copyId: 'constructor' }, 'not-found'], ['forgets one by a strange id', { copyId: '__proto__' }, 'arguments']],
  'copy.run': () => [['copies what is not there', { copyId: 'constructor' }, 'not-found'], ['copies to a place of its own', { copyId: 'a', destination: { type: 'folder', path: '/' } }, 'arguments']],
  'copy.stop': () => [['stops what is not there', { copyId: 'constructor' }, 'not-found']],
  'copy.dismissHint': () => [['keeps quiet about what is not there', { jobId: 'constructor' }, 'not-found'], ['keeps quiet about everything', { jobId: 'a', all: true }, 'arguments']],
  ...reportAttacks,
  'retention.preview': ({ local }) => [['previews what is not there', { jobId: 'constructor', retention: {} }, 'not-found'], ['lets what is held go', { jobId: local.id, retention: { last: 1, despiteUnusual: true } }, 'arguments']],
  'history.runs': ({ local }) => [['reads everything at once', { jobId: local.id, limit: 1e9 }, 'arguments'], ['reads another folder', { jobId: '../../secrets', limit: 1 }, 'arguments']],
  'history.problems': ({ local }) => [['reads another file', { jobId: local.id, runId: '../../secrets.json' }, 'arguments'], ['reads another folder', { jobId: '..', runId: 'a' }, 'arguments']],
  'destination.test': (scene) => [
    ['sends the kept keys', { destination: theirs(scene), secrets: {}, jobId: scene.cloud.id }, 'credentials'],
    ['sends the kept password', { destination: theirs(scene), secrets: { storage: own.storage }, jobId: scene.cloud.id }, 'allowed'],
    ['sends the keys of the same bucket name', { destination: withValue(scene.cloud, 'endpoint', scene.server.endpoint), secrets: {}, jobId: scene.cloud.id }, 'credentials'],
    ...providers.filter(({ runsHere }) => runsHere).map((provider): Attack => (
      [`starts a program by way of ${provider.name}`, { destination: { type: 'provider', provider: provider.id, values: exampleValues(provider) }, secrets: {} }, 'aborted']
    )),
    ['tries any folder', { destination: { type: 'folder', path: scene.app.home }, secrets: {} }, 'arguments'],
    ['tries the folder of a job as nobody’s', { destination: inputOf(scene.local).destination, secrets: {} }, 'arguments'],
    ['tries a folder that was chosen to be read', { destination: { type: 'folder', folder: idOf(scene.chosen.sources) }, secrets: {}, jobId: scene.local.id }, 'arguments'],
  ],
  'account.signIn': () => [
    ['opens a page of its own in the browser', { service: 'dropbox', address: 'https://attacker.example/' }, 'arguments'],
    ['opens the page of a service that is none', { service: 'attacker' }, 'arguments'],
    ['opens a file in the browser', { service: '../../etc/passwd' }, 'arguments'],
  ],
  'account.cancelSignIn': () => [['gives up what nobody began', undefined, 'allowed']],
  'account.signOut': () => [['signs out of what is not there', { service: 'google', account: '__proto__' }, 'not-found'], ['signs out of all', { service: 'google' }, 'arguments']],
  'uncovered.fine': () => [['keeps quiet about what is not shown', { name: '../..' }, 'not-found'], ['keeps quiet about everything', { name: 'a', all: true }, 'arguments']],
  'dialog.folders': ({ app }) => [['begins where it wants to', { purpose: 'sources', at: '../../etc' }, 'not-found'], ['chooses for the person', { purpose: 'sources', defaultPath: app.home, paths: ['/etc'] }, 'arguments'], ['gets an empty answer where nobody chooses', { purpose: 'restore' }, 'allowed']],
  'dialog.file': () => [['chooses for the person', { path: '/etc/shadow' }, 'arguments'], ['gets nothing where nobody chooses', undefined, 'allowed']],
  'sources.suggest': () => [['proposes a folder of its own', { path: '/etc' }, 'arguments'], ['is told what may be backed up', undefined, 'allowed']],
  'sources.measure': (scene) => [
    ['measures a folder by its path', { sources: ['/etc'], excludes: nothingLeftOut }, 'arguments'],
    ['measures what it made up', { sources: [invented], excludes: nothingLeftOut }, 'arguments'],
    ['measures the folder of backups', { sources: [idOf(scene.chosen.destination)], excludes: nothingLeftOut }, 'arguments'],
  ],
  'sources.endMeasure': () => [['ends what nobody began', undefined, 'allowed']],
  'password.check': ({ local }) => [['guesses a password that nobody is asked for', { jobId: local.id, password: 'a guess' }, 'not-found'], ['of a job that is not there', { jobId: 'constructor', password: 'a guess' }, 'not-found']],
  'password.add': ({ local }) => [['lets a password of its own open the backup', { jobId: local.id, password: 'a password of its own' }, 'not-found'], ['of a job that is not there', { jobId: 'constructor', password: 'x' }, 'not-found']],
  'kit.make': ({ local, cloud }) => [
    ['lets words open the backup that stand on a page of its own', { jobId: local.id }, 'aborted'],
    ['of a backup that is not there yet', { jobId: cloud.id }, 'not-found'],
    ['chooses the words', { jobId: local.id, words: 'ozone drill' }, 'arguments'],
  ],
  'kit.page': ({ app, local }) => [
    ['prints what nobody has made', { jobId: local.id, to: 'printer' }, 'not-found'],
    ['saves it where it can be read', { jobId: local.id, to: 'pdf', path: join(app.home, 'kit.pdf') }, 'arguments'],
    ['gets it itself', { jobId: local.id, to: 'window' }, 'arguments'],
  ],
  'kit.check': ({ local }) => [['says that a kit was checked that nobody has made', { jobId: local.id, words: ['ozone', 'drill', 'grab'] }, 'not-found']],
  'kit.revoke': ({ local }) => [['takes away what is not there', { jobId: local.id, number: '00000000' }, 'not-found'], ['takes every key away', { jobId: local.id, number: '' }, 'arguments']],
  'visit.open': (scene) => [
    // What is restored from there would be the attacker's: no storage is read before a person has said that it is theirs.
    ...providers.filter(({ runsHere }) => runsHere).map((provider): Attack => (
      [`starts a program by way of ${provider.name}`, { destination: { type: 'provider', provider: provider.id, values: exampleValues(provider) }, secrets: { password: own.password } }, 'aborted']
    )),
    ['opens one at a server of its own', { destination: theirs(scene), secrets: own }, 'aborted'],
    ['opens any folder', { destination: { type: 'folder', path: scene.app.home }, secrets: { password: own.password } }, 'arguments'],
    ['opens the folder of a job with a guess', { destination: inputOf(scene.local).destination, secrets: { password: own.password } }, 'arguments'],
    ['opens a folder that was chosen to be read', { destination: { type: 'folder', folder: idOf(scene.chosen.sources) }, secrets: { password: own.password } }, 'arguments'],
    ['opens one with the password that is kept', { destination: { type: 'folder', folder: idOf(scene.chosen.destination) }, secrets: {} }, 'arguments'],
  ],
  'visit.address': () => [['asks what an address means', { address: 'file:///etc/passwd' }, 'allowed'], ['asks for a folder by it', { address: '/etc', folder: true }, 'arguments']],
  'visit.machines': ({ local }) => [['asks what is in what nobody has opened', { visitId: local.id }, 'not-found']],
  'visit.import': ({ local }) => [
    ['makes jobs of what nobody has opened', { visitId: local.id, machineId: '0', jobs: ['x'], replaces: true }, 'not-found'],
    ['makes jobs of its own', { visitId: local.id, machineId: '0', jobs: [{ name: 'x', sources: ['/etc'] }], replaces: true }, 'arguments'],
  ],
  'visit.close': () => [['closes what is not open', { visitId: 'constructor' }, 'allowed']],
  ...attacksOnRestores,
  'files.open': ({ local }) => [
    ['opens what is not there', { place: { jobId: 'constructor' } }, 'not-found'],
    ['has an address of its own opened', { place: { jobId: local.id }, address: 'file:///etc' }, 'arguments'],
  ],
  'files.close': () => [['closes what is not open', undefined, 'allowed'], ['closes another', { port: 22 }, 'arguments']],
  'files.copyPassword': () => [['takes the password of what is not open', undefined, 'not-found']],
  'settings.set': () => [
    ['all but stops uploads on each day', { limitTimes: [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '00:00', uploadBytesPerSecond: 1 }] }, 'aborted'],
    ['starts at login', { autoStart: true }, 'aborted'],
    ['keeps quiet about failures', { notifications: 'none' }, 'aborted'],
    ['all but stops uploads', { uploadBytesPerSecond: 1 }, 'aborted'],
    ['sets what is no setting', { dismissed: ['secrets-in-file'] }, 'arguments'],
    ['changes the prototype', JSON.parse('{"__proto__":{"autoStart":true},"theme":"dark","polluted":1}') as object, 'arguments'],
  ],
  'folder.open': (scene) => [
    ['opens a file by its path', { type: 'path', path: join(scene.app.home, '.config') }, 'arguments'],
    ['opens a program that took the place of a source', { type: 'source', jobId: scene.cloud.id, index: 0 }, 'denied'],
    ['opens a storage on the network', { type: 'destination', jobId: scene.cloud.id }, 'allowed'],
    ['opens what is not there', { type: 'source', jobId: scene.local.id, index: 7 }, 'not-found'],
  ],
  'drives.list': () => [['asks which disks there are', undefined, 'allowed'], ['asks for those of another folder', { under: '/' }, 'arguments']],
  'drives.choose': () => [['writes on a disk that it made up', { id: '0000-0000' }, 'not-found'], ['writes at a path', { path: '/etc' }, 'arguments']],
  'disk.add': ({ local }) => [['sends a backup to a disk that it made up', { jobId: local.id, id: '0000-0000' }, 'not-found'], ['sends it to a path', { jobId: local.id, path: '/etc' }, 'arguments']],
  'disk.remove': ({ local }) => [['forgets a disk that is none of the job', { jobId: local.id, id: '__proto__' }, 'not-found'], ['forgets all', { jobId: local.id }, 'arguments']],
  'notice.dismiss': () => [['hides what is not there', { id: '__proto__' }, 'allowed']],
}

let scene: Scene
let before: ReturnType<typeof untouched>
const replies: Reply<unknown>[] = []

/** What nobody may have touched, and what main keeps. */
function untouched({ app, folder }: Pick<Scene, 'app' | 'folder'>) {
  const trees = ['.config/autostart', '.ssh', 'Documents'].map((name) => describeTree(join(app.home, name)))
  // Looking at a repository may tidy up in it: what lies there is compared, not when its folders were last written in.
  const chosen = describeTree(folder.path('')).map((line) => line.replace(/^(\/backup.*\/ directory .*) \d+$/, '$1'))
  return { trees, chosen, jobs: readFileSync(join(app.state, 'jobs.json'), 'utf8'), secrets: readFileSync(join(app.state, 'secrets.json'), 'utf8') }
}

async function attack(channel: Channel, request: unknown): Promise<Reply<unknown>> {
  const reply = await send(scene.user.page, channel, request)
  replies.push(reply)
  return reply
}

async function choose(user: User, purpose: 'sources' | 'destination' | 'restore', path: string): Promise<FolderView> {
  await user.willChoose({ [purpose]: [path] })
  const reply = await send(user.page, 'dialog.folders', { purpose })
  const [found] = reply.ok ? (reply.value as readonly FolderView[]) : []
  if (!found) throw new Error('not chosen')
  return found
}

beforeAll(async () => {
  const folder = freshFolder()
  const server = await openAttackerServer()
  const app = await launchApp()
  const user = await User.of(app)
  for (const name of ['.config/autostart', '.ssh', 'Documents']) mkdirSync(join(app.home, name), { recursive: true })
  writeFileSync(join(app.home, '.ssh/id'), 'canary key')
  writeFileSync(join(app.home, 'Documents/plan.txt'), 'canary plan')
  writeFileSync(join(folder.made('tree'), 'evil.desktop'), '[Desktop Entry]\nType=Application\nName=x\nExec=/bin/sh -c id\n')
  writeFileSync(join(folder.made('program'), 'x'), '')
  await user.addJob({ name: 'local', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('backup') }, password, schedule: 'Every hour' })
  await user.backUpNow()
  // An address that nobody answers at: what is kept for it must go nowhere else.
  await user.addJob({ name: 'cloud', sources: [folder.path('program')], destination: { type: 's3', endpoint: 'http://127.0.0.1:9', bucket: 'mine', ...keys }, password })
  rmSync(folder.path('program'), { recursive: true })
  writeFileSync(folder.path('program'), '#!/bin/sh\n')
  chmodSync(folder.path('program'), 0o755)
  await user.openJob('local')
  await user.click('Restore files')
  await user.restoreTo(folder.made('restored'))
  const state = await send(user.page, 'state.get', undefined)
  const { jobs, restores } = (state as { value: { app: AppState } }).value.app
  const [local, cloud] = ['local', 'cloud'].map((name) => jobs.find((one) => one.config.name === name))
  if (!local || !cloud) throw new Error('no jobs')
  const restored = await choose(user, 'restore', folder.made('again'))
  expect(await send(user.page, 'restore.start', restoring({ local, snapshot: restores[0]?.snapshot ?? '' } as Scene, idOf(restored)))).toMatchObject({ ok: true })
  const chosen = {
    sources: await choose(user, 'sources', folder.path('tree')),
    destination: await choose(user, 'destination', folder.made('elsewhere')),
    restore: restored,
    autostart: await choose(user, 'restore', join(app.home, '.config/autostart')),
    home: await choose(user, 'restore', app.home),
  }
  await vi.waitFor(async () => {
    const now = (await send(user.page, 'state.get', undefined)) as { value: { app: AppState } }
    expect(now.value.app.restores.map((one) => one.result?.outcome)).toEqual(['success', 'success'])
  }, { timeout: 20_000, interval: 100 })
  expect(existsSync(folder.path('again/tree/evil.desktop'))).toBe(true)
  // From here on nobody answers a dialog but with no.
  await user.willChoose({})
  await app.electron.evaluate(({ shell }) => {
    const opened: string[] = []
    Object.assign(globalThis, { opened })
    shell.openPath = async (path) => { opened.push(path); return '' }
    shell.openExternal = async (path) => { opened.push(path) }
  })
  const suggested = await send(user.page, 'sources.suggest', undefined)
  const proposed = (suggested as { value: { folder: FolderView } }).value.folder
  scene = { app, user, folder, server, local, cloud, snapshot: restores[0]?.snapshot ?? '', chosen, proposed }
  before = untouched(scene)
}, 60_000)

afterAll(async () => {
  await scene.app[Symbol.asyncDispose]()
  await scene.server[Symbol.asyncDispose]()
  scene.folder[Symbol.dispose]()
})

test('every channel is attacked', () => {
  expect(Object.keys(attacks).sort()).toEqual([...channels].sort())
  for (const channel of channels) expect(attacks[channel](scene).length, channel).toBeGreaterThan(0)
})

describe.each(channels)('%s', (channel) => {
  test('does nothing for a compromised window', async () => {
    for (const [name, request, answer] of attacks[channel](scene)) {
      const reply = await attack(channel, request)
      const code = reply.ok ? 'allowed' : reply.error.code
      if (answer === 'allowed') expect(reply.ok || reply.error.code !== 'internal', `${name}: ${code}`).toBe(true)
      else expect(code, name).toBe(answer)
    }
  })

  test('takes no nonsense', async () => {
    const nonsense = [null, 0, '', [], { $bytes: [] }, 'x'.repeat(1 << 20), JSON.parse('{"__proto__":{"jobId":"a"},"constructor":1}') as unknown, { jobId: { toString: 1 }, id: [], type: 'path', purpose: 'files', config: null }]
    for (const request of nonsense) expect(await attack(channel, request), JSON.stringify(request)?.slice(0, 50)).toMatchObject({ ok: false, error: { code: 'arguments' } })
  })
})

test('a page that was loaded anew has none of the folders that the one before had', async () => {
  await scene.user.page.reload()
  await scene.user.page.getByRole('navigation', { name: 'Pages' }).waitFor()
  expect(await attack('restore.start', restoring(scene, idOf(scene.chosen.home)))).toMatchObject({ ok: false, error: { code: 'arguments', data: { reason: 'folder' } } })
  expect(await attack('job.add', { config: job([idOf(scene.chosen.sources)], theirs(scene)), secrets: own })).toMatchObject({ ok: false, error: { code: 'arguments' } })
})

test('no storm of requests makes a storm of processes or of dialogs', async () => {
  const { app, user, local, cloud, snapshot } = scene
  const seen = new Set<number>()
  let most = 0
  const timer = setInterval(() => {
    const now = enginesOf(app)
    most = Math.max(most, now.length)
    for (const { pid } of now) seen.add(pid)
  }, 20)
  const harmless: Readonly<Partial<Record<Channel, unknown>>> = {
    'job.run': { jobId: cloud.id },
    'job.stop': { jobId: cloud.id, mode: 'cancel' },
    'job.update': { jobId: local.id, config: inputOf(local), secrets: {} },
    'job.remove': { jobId: local.id },
    'destination.test': { destination: theirs(scene), secrets: { storage: own.storage } },
    'browse.snapshots': { place: { jobId: local.id } },
    'browse.list': { place: { jobId: local.id }, snapshot, path: { $bytes: [] }, limit: 10 },
    'browse.search': { place: { jobId: local.id }, text: 'a', limit: 10 },
    'browse.changes': { place: { jobId: local.id }, snapshot, limit: 10 },
    'logs.page': { filter: { text: 'nowhere to be found' }, limit: 1000 },
    'dialog.folders': { purpose: 'restore' },
    'dialog.file': undefined,
    'drives.list': undefined,
    'drives.choose': { id: '0000-0000' },
    'folder.open': { type: 'logs' },
    'settings.set': { autoStart: true },
    'state.get': undefined,
  }
  const startedMs = performance.now()
  const sent = await Promise.all(Array.from({ length: 250 }, () => Object.entries(harmless).map(([channel, request]) => send(user.page, channel as Channel, request))).flat())
  clearInterval(timer)
  // Of the heavy ones 12 at once are taken, and one every two seconds; somebody asked for some before.
  const paced = 12 + Math.ceil((performance.now() - startedMs) / 2000)
  const refused = sent.filter((reply) => !reply.ok && reply.error.code === 'busy').length
  expect(sent.some((reply) => !reply.ok && reply.error.code === 'internal')).toBe(false)
  expect(refused).toBeGreaterThan(1000)
  console.log(`${sent.length} requests, ${refused} refused for their number; engines: ${seen.size} in all, ${most} at once`)
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(10)
  expect(seen.size).toBeLessThanOrEqual(5 * paced)
  expect((await app.electron.evaluate(() => (globalThis as unknown as { opened: string[] }).opened)).length).toBeLessThanOrEqual(paced + 8)
  await expect.poll(() => enginesOf(app).length).toBeLessThanOrEqual(3)
}, 90_000)

test('nothing was read, written, opened, started or told that a person had not chosen', async () => {
  const { app, server } = scene
  expect(untouched(scene)).toEqual(before)
  expect(existsSync(join(app.home, '.config/autostart/holdfast.desktop'))).toBe(false)
  const opened = await app.electron.evaluate(() => (globalThis as unknown as { opened: string[] }).opened)
  expect(new Set(opened)).toEqual(new Set([join(app.state, 'logs/')]))
  // The attacker's server was reached, with what the attacker has, and holds no repository.
  expect(server.heard.length).toBeGreaterThan(0)
  expect([...server.objects.keys()].filter((name) => !name.startsWith('probe/'))).toEqual([])
  const clipboard = await app.electron.evaluate(({ clipboard: it }) => it.readText())
  const texts = new Map([['the attacker’s server', server.heard.join('\n')], ['the replies', JSON.stringify(replies)], ['the clipboard', clipboard]])
  expect(texts.get('the attacker’s server')).toContain(own.storage.accessKeyId)
  for (const secret of [password, keys.accessKeyId, keys.secretAccessKey]) expect(findTraces(secret, texts)).toEqual([])
  // Each question was asked by main, and is in its log.
  const log = readFileSync(join(app.state, 'logs/holdfast.jsonl'), 'utf8')
  for (const asked of ['Delete the job “local”?', 'Send backups to attacker on 127.0.0.1', 'Change the job “cloud”?', 'autostart?', 'Start Holdfast when you log in?', 'Switch all notifications off?']) expect(log).toContain(`asked: ${asked}`.replace('asked: autostart?', 'autostart?'))
})
