import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { declined } from '../../../main/authority/ask.ts'
import type { Question } from '../../../main/authority/questions.ts'
import { settingsHandlers } from '../../../main/settings/handlers.ts'
import { applyChange, openSettings } from '../../../main/settings/settings.ts'

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
