import { describe, expect, it } from 'vitest'
import { pinnedElectron } from '../../../build/runtime/runtime.ts'
import { refusedSwitch } from '../../../main/system/debugging.ts'
import { menuTemplate } from '../../../main/system/menu.ts'
import { isForTests, isOldRuntime, oldestSupportedElectron } from '../../../main/system/runtime.ts'

describe('the runtime', () => {
  it('is old when it is none of the newest three that were kept up with the pinned one', () => {
    expect(oldestSupportedElectron).toBe(Number.parseInt(pinnedElectron(), 10) - 2)
    expect(['25.1.1', '42.9.9', '', undefined, 'unknown'].map(isOldRuntime)).toEqual([true, true, true, true, true])
    expect([pinnedElectron(), '43.0.0', '50.0.0-beta.1'].map(isOldRuntime)).toEqual([false, false, false])
  })

  it('lets tests reach in unpackaged, or where the version says that it is for tests', () => {
    const app = (isPackaged: boolean, version: string) => ({ isPackaged, getVersion: () => version })
    expect([app(false, '1.0.0'), app(true, '1.0.0-for-tests')].map(isForTests)).toEqual([true, true])
    expect([app(true, '1.0.0'), app(true, '1.0.0-for-tests.1'), app(true, '')].map(isForTests)).toEqual([false, false, false])
  })
})

describe('a packaged app', () => {
  const roles = (platform: NodeJS.Platform, packaged: boolean): readonly unknown[] => JSON.stringify(menuTemplate(platform, packaged)).match(/"role":"\w+"/g) ?? []

  it('has no menu, and so no shortcuts; on macOS one for copy and paste', () => {
    expect([menuTemplate('linux', true), menuTemplate('win32', true)]).toEqual([null, null])
    expect(roles('darwin', true)).toEqual(['"role":"appMenu"', '"role":"editMenu"', '"role":"windowMenu"'])
    expect(roles('linux', false)).toEqual(['"role":"reload"', '"role":"toggleDevTools"'])
  })

  it('does not start with a switch that lets others look into it', () => {
    const given = (...names: readonly string[]) => ({ hasSwitch: (name: string) => names.includes(name) })
    expect(refusedSwitch(given('hidden', 'no-sandbox', 'disable-gpu'))).toBeUndefined()
    for (const name of ['remote-debugging-port', 'remote-debugging-pipe', 'inspect', 'inspect-brk', 'load-extension']) expect(refusedSwitch(given('hidden', name))).toBe(name)
  })
})
