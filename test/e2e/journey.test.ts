import { expect, test } from 'vitest'
import { FaultProxy } from '../faults/proxy.ts'
import { describeTree, makeOddTree } from '../fixtures/tree.ts'
import { freshBucket } from '../servers/s3.ts'
import { launchApp } from './harness/app.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { freshFolder } from './harness/folder.ts'
import { randomFile } from './harness/data.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'

test('a folder: from the first start to a restored tree that equals the source', async () => {
  using folder = freshFolder()
  const source = folder.path('tree')
  makeOddTree(source)
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const user = await User.of(app)
  await user.sees('Keep your files safe')
  await user.openForm()
  await user.fillJob({ name: 'documents', sources: [source], destination: { type: 'folder', path: folder.made('backup') }, password })
  await user.click('Create job')
  await user.sees('Never run')
  expect(await user.backUpNow()).toBe('Backed up')
  expect((await desktop.nextNotification('documents')).summary).toBe('Your first backup is complete')

  await user.click('Browse this snapshot')
  await user.restoreTo(folder.made('everything'))
  expect((await desktop.nextNotification('Restore complete')).body).toContain(folder.path('everything'))
  expect(describeTree(folder.path('everything/tree'))).toEqual(describeTree(source))

  await user.goTo('Restore')
  await user.click('Open tree')
  await user.page.getByRole('row').getByText('plain.txt', { exact: true }).waitFor()
  await user.page.getByRole('checkbox', { name: 'Choose plain.txt' }).check()
  await user.click('Open deep')
  await user.click('Open er')
  await user.page.getByRole('checkbox', { name: 'Choose est' }).check()
  await user.sees('2 items chosen')
  await user.restoreTo(folder.made('some'))
  const everything = describeTree(source)
  const some = describeTree(folder.path('some/tree'))
  expect(some.filter((line) => line.startsWith('/plain.txt '))).toEqual(everything.filter((line) => line.startsWith('/plain.txt ')))
  expect(some.map((line) => line.split(' ')[0]).sort()).toEqual(['/', '/deep/', '/deep/er/', '/deep/er/est/', '/deep/er/est/hard', '/plain.txt'])

  // A second run has nothing to send; what changed on disk since is put right by restoring over it.
  await user.openJob('documents')
  expect(await user.backUpNow()).toBe('Nothing had changed')
})

test('S3: tries the connection, backs up with live progress, restores what equals the source', async () => {
  using folder = freshFolder()
  const source = folder.path('tree')
  makeOddTree(source)
  randomFile(`${source}/video.bin`, 24_000_000)
  const bucket = await freshBucket()
  await using proxy = await FaultProxy.start(bucket.endpoint)
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const user = await User.of(app)
  const destination = { type: 's3' as const, endpoint: proxy.endpoint, bucket: bucket.bucket, prefix: 'mine', ...bucket.secrets }
  await user.openForm()
  await user.fillJob({ name: 'cloud', sources: [source], destination: { ...destination, secretAccessKey: 'wrong' }, password })
  await user.click('Test connection')
  await user.sees('The storage does not accept these keys')
  await user.page.getByLabel('Secret access key').fill(destination.secretAccessKey)
  await user.click('Test connection')
  await user.sees('Connection works')

  const held = Promise.withResolvers<void>()
  proxy.choose = ({ method, url }) => (method === 'PUT' && url.includes('/packs/') ? { type: 'hold', until: held.promise } : undefined)
  await user.click('Create and back up now')
  const lanes = user.page.getByRole('list', { name: 'Transfers in progress' }).getByRole('listitem')
  // How 24 MB are shared out over packs depends on which thread was free.
  await lanes.getByText(/\/ \d+(\.\d+)? MB/).first().waitFor()
  await app.screenshot('live')
  held.resolve()
  await user.sees('Backed up')
  expect((await desktop.nextNotification('cloud')).summary).toBe('Your first backup is complete')

  await user.click('Browse this snapshot')
  await user.restoreTo(folder.made('restored'))
  expect(describeTree(folder.path('restored/tree'))).toEqual(describeTree(source))

  // The job joins what is there, and its password is tried with the connection.
  await user.goTo('Backups')
  await user.click('Add job')
  await user.fillJob({ name: 'again', sources: [source], destination, password: 'not this one' })
  await user.click('Test connection')
  await user.sees('The password does not open this repository')
  await user.page.getByLabel('Password of the repository').fill(password)
  await user.click('Test connection')
  await user.sees('Found a repository, and the password opens it')
}, 120_000)
