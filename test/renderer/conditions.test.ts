import { expect, test } from 'vitest'
import { personAtWindow } from './harness/person.ts'

const person = personAtWindow()
const { button, goTo, requests } = person

async function edit(): Promise<void> {
  await goTo('Documents')
  await button('More actions').click()
  await person.page.getByRole('menuitem', { name: 'Edit job' }).click()
}

test('conditions are chosen, said where the job is shown, and can be taken back', async () => {
  const { page, window } = person
  await window.open('idle')
  await edit()
  await page.getByRole('checkbox', { name: 'On mains power' }).check()
  await page.getByRole('checkbox', { name: 'With enough battery' }).check()
  const charge = page.getByLabel('Least charge')
  await charge.fill('100')
  await charge.blur()
  await page.getByText('Choose a number from 1 to 99.').waitFor()
  await charge.fill('40')
  await page.getByRole('radio', { name: 'Only these' }).check()
  await page.getByText('Connected now: Home').waitFor()
  await button('Save').click()
  await page.getByText('Enter 1 to 20 names.').waitFor()
  await button('Add Home').click()
  await button('Save').click()
  await page.getByText('on mains power, with a battery of 40 % or more, in Home').waitFor()
  const conditions = { mains: true, batteryAbove: 40, networks: { rule: 'only', names: ['Home'] } }
  expect(await requests('job.update')).toMatchObject([{ config: { conditions } }])
  await edit()
  for (const name of ['On mains power', 'With enough battery']) await page.getByRole('checkbox', { name }).uncheck()
  await page.getByRole('radio', { name: 'Any' }).check()
  await button('Save').click()
  await expect.poll(async () => (await requests('job.update')).at(-1)).not.toHaveProperty('config.conditions')
  expect(window.complaints).toEqual([])
})

test('what this computer does not tell is said beside the condition', async () => {
  const { page, window } = person
  await window.open('idle')
  await page.evaluate(() => { globalThis.window.fake.change({ surroundings: { onBattery: false } }) })
  await edit()
  await page.getByRole('radio', { name: 'Never these' }).check()
  expect(await page.getByText('This computer does not tell; it counts as met.').count()).toBe(3)
})

test('a job says that it waits, and a run that stands still says for what; the person may go on', async () => {
  const { page, window } = person
  await window.open('busy')
  await page.evaluate(() => {
    globalThis.window.fake.changeJob('j1', (one) => ({ ...one, state: 'paused', waits: { wait: { type: 'metered' } } }))
    globalThis.window.fake.changeJob('j2', ({ runId: _run, ...one }) => ({ ...one, state: 'idle', waits: { wait: { type: 'battery', above: 40 } } }))
  })
  await page.getByText('Paused: waits for a connection where data costs nothing').first().waitFor()
  await page.getByText('Waits for a battery of 40 % or more').first().waitFor()
})
