import { expect, test } from 'vitest'
import { personAtWindow } from './harness/person.ts'

const person = personAtWindow()
const { button, goTo, requests } = person

async function edit(): Promise<void> {
  await person.window.open('idle')
  await goTo('Virtual machines')
  await button('More actions').click()
  await person.page.getByRole('menuitem', { name: 'Edit job' }).click()
}

test('times on chosen days are picked by keyboard or mouse, shown ahead, and sent in order', async () => {
  const { page, window } = person
  await edit()
  await page.getByRole('radio', { name: 'Chosen times' }).check()
  expect(await button('Mon').getAttribute('aria-pressed')).toBe('true')
  for (const day of ['Mon', 'Tue', 'Wed', 'Thu', 'Fri']) await button(day).click()
  await page.getByText('Choose at least one day.').waitFor()
  await button('Sun').focus()
  await page.keyboard.press('Space')
  await button('Wed').click()
  const times = page.getByLabel('Times', { exact: true })
  await times.fill('18:30, 25:00')
  await times.blur()
  await page.getByText('Enter up to 24 times such as 09:00, 13:00.').waitFor()
  await times.fill('18:30, 9:00')
  expect((await page.getByText(/^Next: /).textContent())?.split(' · ')).toHaveLength(3)
  await button('Save').click()
  await page.getByText('Wed, Sun at 09:00, 18:30').waitFor()
  expect(await requests('job.update')).toMatchObject([{ config: { schedule: { type: 'times', days: [3, 7], at: ['09:00', '18:30'] } } }])
  expect(window.complaints).toEqual([])
})

test('a cron expression says what is wrong with it, and when it runs next', async () => {
  const { page } = person
  await edit()
  await page.getByRole('radio', { name: 'Cron' }).check()
  const cron = page.getByLabel('Cron expression')
  for (const [typed, error] of [['daily', 'This is no cron expression of five fields.'], ['0 0 31 2 *', 'No such time ever comes.'], ['*/10 * * * *', 'Two backups would be closer together than 15 minutes.']] as const) {
    await cron.fill(typed)
    await cron.blur()
    await page.getByText(error).waitFor()
    expect(await page.getByText(/^Next: /).count()).toBe(0)
  }
  await cron.fill('30 9 * * 1-5')
  expect((await page.getByText(/^Next: /).textContent())?.match(/09:30/g)).toHaveLength(3)
  await page.getByRole('radio', { name: 'Interval' }).check()
  await page.getByLabel('Time between two backups').fill('6')
  await button('Save').click()
  await page.getByText('Every 6 hours').waitFor()
  expect(await requests('job.update')).toMatchObject([{ config: { schedule: { type: 'interval', minutes: 360 } } }])
})

test('towards a storage on the network it is said that a run begins a little later', async () => {
  const { page } = person
  await edit()
  await page.getByRole('radio', { name: 'Every day' }).check()
  expect(await page.getByText(/It begins up to ten minutes later/).count()).toBe(0)
  await page.getByRole('radio', { name: 'S3 storage' }).check()
  await page.getByText(/It begins up to ten minutes later/).waitFor()
})

test('a job that runs when something changes is chosen with its quiet time, and says what it watches', async () => {
  const { page, window } = person
  await edit()
  await page.getByRole('radio', { name: 'When something changes' }).check()
  const quiet = page.getByLabel('Minutes without a change')
  await quiet.fill('90')
  await quiet.blur()
  await page.getByText('Choose 1 to 60, in whole minutes.').waitFor()
  await quiet.fill('3')
  await button('Save').click()
  await page.getByText('When something changes, 15 minutes apart at least').waitFor()
  expect(await requests('job.update')).toMatchObject([{ config: { schedule: { type: 'continuous', quietMinutes: 3, everyMinutes: 15 } } }])
  await page.evaluate(() => { globalThis.window.fake.changeJob('j3', (one) => ({ ...one, waits: { wait: { type: 'changes' } }, watch: { state: 'watching', folders: 12_345, away: 0 } })) })
  await page.getByText('Waits for a change').waitFor()
  await page.getByText('Watching 12,345 folders').waitFor()
  await page.evaluate(() => { globalThis.window.fake.changeJob('j3', (one) => ({ ...one, watch: { state: 'too-many' } })) })
  await page.getByText(/Leave out folders that need no backup/).waitFor()
  await goTo('Backups')
  await page.getByText('Too many folders to watch: backed up each hour instead').waitFor()
  expect(window.complaints).toEqual([])
})
