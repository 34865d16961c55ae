import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
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
  const [applied, login]: [unknown[], boolean[]] = [[], []]
  let on = false
  const loginItem = { supported: true, isOn: () => on, set: async (value: boolean) => { on = value; login.push(value) } }
  const { 'settings.set': set } = settingsHandlers({ file, loginItem, apply: (settings) => applied.push(settings) })
  await set({ autoStart: false, parallelJobs: 3 })
  await set({ autoStart: true })
  await set({ autoStart: true })
  expect(login).toEqual([true])
  expect(applied).toHaveLength(3)
  expect(file.value.parallelJobs).toBe(3)
  expect(file.value).not.toHaveProperty('autoStart')
})
