import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { declined } from '../../../main/authority/ask.ts'
import type { Question } from '../../../main/authority/questions.ts'
import { settingsHandlers } from '../../../main/settings/handlers.ts'
import { applyChange, openSettings, overdueToldIn, pauseIn } from '../../../main/settings/settings.ts'

function open() {
  return openSettings(join(mkdtempSync(join(tmpdir(), 'holdfast-settings-')), 'settings.json'), () => 0)
}

it('changes what is named, keeps the rest, and null takes a limit away', () => {
  const limited = applyChange(open().value, { theme: 'dark', uploadBytesPerSecond: 100, downloadBytesPerSecond: 7 })
  expect(limited).toMatchObject({ theme: 'dark', uploadBytesPerSecond: 100, downloadBytesPerSecond: 7, parallelJobs: 2 })
  const free = applyChange(limited, { uploadBytesPerSecond: null })
  expect(free).not.toHaveProperty('uploadBytesPerSecond')
  expect(free.downloadBytesPerSecond).toBe(7)
})

it('set writes the file, applies the settings, and touches the login item only when it changes', async () => {
  const file = open()
  const [applied, login, asked]: [unknown[], boolean[], string[]] = [[], [], []]
  let on = false
  const loginItem = { supported: true, isOn: () => on, set: async (value: boolean) => { on = value; login.push(value) } }
  const { 'settings.set': set } = settingsHandlers({ file, loginItem, ask: async ({ title }) => { asked.push(title) }, apply: (settings) => applied.push(settings) })
  await set({ autoStart: false, parallelJobs: 3 })
  await set({ autoStart: true })
  await set({ autoStart: true })
  expect(login).toEqual([true])
  expect(asked).toEqual(['Start Holdfast when you log in?'])
  expect(applied).toHaveLength(3)
  expect(file.value.parallelJobs).toBe(3)
  expect(file.value).not.toHaveProperty('autoStart')
})

it('what changes what runs at login, or keeps quiet about failures, is asked for first; a no changes nothing at all', async () => {
  const file = open()
  const login: boolean[] = []
  const asked: string[] = []
  const loginItem = { supported: true, isOn: () => true, set: async (value: boolean) => { login.push(value) } }
  const ask = async ({ title }: Question): Promise<void> => {
    asked.push(title)
    throw declined()
  }
  const { 'settings.set': set } = settingsHandlers({ file, loginItem, ask, apply: () => { throw new Error('unreachable') } })
  for (const change of [{ autoStart: false, parallelJobs: 3 }, { notifications: 'none', parallelJobs: 3 }, { uploadBytesPerSecond: 1, parallelJobs: 3 }] as const) {
    await expect(Promise.resolve(set(change))).rejects.toMatchObject({ code: 'aborted', data: { declined: true } })
  }
  expect(asked).toEqual(['No longer start Holdfast when you log in?', 'Switch all notifications off?', 'Slow all backups down?'])
  expect([login, file.value.parallelJobs, file.value.notifications]).toEqual([[], 2, 'all'])
})

it('limits of times of day are kept, replaced as a whole, and asked for where they all but stop uploads', async () => {
  const file = open()
  const asked: string[] = []
  const loginItem = { supported: true, isOn: () => true, set: async () => undefined }
  let answer = true
  const ask = async ({ title }: Question): Promise<void> => {
    asked.push(title)
    if (!answer) throw declined()
  }
  const { 'settings.set': set } = settingsHandlers({ file, loginItem, ask, apply: () => undefined })
  const office = { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00', uploadBytesPerSecond: 500_000 } as const
  const crawl = { ...office, days: [6], uploadBytesPerSecond: 10 } as const
  await set({ limitTimes: [office] })
  answer = false
  await expect(Promise.resolve(set({ limitTimes: [office, crawl] }))).rejects.toMatchObject({ code: 'aborted' })
  expect([asked, file.value.limitTimes]).toEqual([['Slow all backups down?'], [office]])
  answer = true
  await set({ limitTimes: [office, crawl] })
  await set({ theme: 'dark' })
  await set({ limitTimes: [crawl] })
  expect([asked.length, file.value.limitTimes]).toEqual([2, [crawl]])
  await set({ limitTimes: [] })
  expect(file.value.limitTimes).toEqual([])
})

it('settings that an older version wrote have none of what is new, and are kept', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'holdfast-settings-')), 'settings.json')
  const old = { theme: 'dark', notifications: 'failures', parallelJobs: 3, defaultConcurrency: 5, uploadBytesPerSecond: 7, firstSuccessShown: true, dismissed: ['late'] }
  writeFileSync(path, JSON.stringify({ version: 1, data: old }), { mode: 0o600 })
  const file = openSettings(path, () => 0)
  expect([file.movedTo, file.value, pauseIn(file).get(), overdueToldIn(file).get()]).toEqual([undefined, { language: 'system', ...old }, undefined, undefined])
})
