import { kill } from 'node:process'
import { expect, test } from 'vitest'
import { describeOddTree, makeOddTree, removeIfThere } from '../fixtures/odd-tree.ts'
import { launchApp } from './harness/app.ts'
import { randomFile } from './harness/data.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { enginesOf } from './harness/engines.ts'
import { freshFolder } from './harness/folder.ts'
import { openStorage } from './harness/storage.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'

test('two jobs run at once, each in an engine of its own, and both finish', async () => {
  using folder = freshFolder()
  await using storage = await openStorage()
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const user = await User.of(app)
  for (const name of ['photos', 'papers']) {
    randomFile(`${folder.made(name)}/one.bin`, 2_000_000, name)
    await user.addJob({ name, sources: [folder.path(name)], destination: { ...storage.destination, prefix: name }, password })
  }
  storage.holdPacks()
  await user.goTo('Backups')
  // What is not backed up yet offers the same above the rows of the jobs.
  await user.button('Back up now: photos').last().click()
  await user.button('Back up now: papers').last().click()
  await user.sees('2 jobs running')
  await expect.poll(() => storage.held).toBeGreaterThanOrEqual(2)
  expect(enginesOf(app)).toHaveLength(2)
  await app.screenshot('two-jobs')
  storage.release()
  await user.button('Open photos: Backed up').waitFor()
  await user.button('Open papers: Backed up').waitFor()
  await expect.poll(() => enginesOf(app)).toHaveLength(0)
})

test('an engine that is killed in the middle of an upload is started again, goes on, and sends nothing twice', async () => {
  using folder = freshFolder()
  const source = folder.path('tree')
  makeOddTree(source, { levels: 300, crowd: 500 })
  const megabytes = 60
  randomFile(`${source}/video.bin`, megabytes * 1_000_000)
  await using storage = await openStorage()
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const user = await User.of(app)
  await user.addJob({ name: 'cloud', sources: [source], destination: storage.destination, password })

  storage.holdPacks(2)
  await user.click('Back up now')
  await expect.poll(() => storage.packs()).toHaveLength(2)
  await expect.poll(() => storage.held).toBeGreaterThan(0)
  const [first] = enginesOf(app)
  kill(first?.pid ?? 0, 'SIGKILL')
  await user.sees('The backup of “cloud” ended unexpectedly')
  await user.sees('It was started again and continues where it stopped.')
  await expect.poll(() => enginesOf(app).map((one) => one.pid)).not.toContain(first?.pid)
  await app.screenshot('after-a-crash')
  storage.release()
  await user.click(/^Show details of the run of/)
  await user.sees('Started again 1 time after a crash')
  await user.button('Back up now').waitFor()

  const sent = (await storage.packs()).reduce((sum, size) => sum + size, 0)
  expect(sent / 1e6).toBeGreaterThan(megabytes)
  expect(sent / 1e6).toBeLessThan(megabytes + 2)
  await user.button('Browse this snapshot').first().click()
  await user.restoreTo(folder.made('restored'))
  expect(describeOddTree(folder.path('restored/tree'))).toEqual(describeOddTree(source))
  // Too deep for whoever removes the test's folder.
  for (const tree of [source, folder.path('restored/tree')]) removeIfThere(tree)
})
