import type { LimitTime, SettingsChange } from '../api/contract.ts'
import type { Handlers } from '../api/dispatch.ts'
import type { Ask } from '../authority/ask.ts'
import { isCrawl } from '../authority/protection.ts'
import { autoStartQuestion, crawlQuestion, silenceQuestion } from '../authority/questions.ts'
import type { LoginItem } from '../system/login-item.ts'
import { applyChange } from './settings.ts'
import type { Settings } from './settings.ts'
import type { VersionedFile } from './versioned-file.ts'

export interface SettingsPorts {
  readonly file: VersionedFile<Settings>
  readonly loginItem: LoginItem
  readonly ask: Ask
  /** The new settings are to take effect. */
  readonly apply: (settings: Settings) => void
}

export function settingsHandlers({ file, loginItem, ask, apply }: SettingsPorts): Pick<Handlers, 'settings.set'> {
  return {
    async 'settings.set'(change: SettingsChange) {
      if (change.notifications === 'none' && file.value.notifications !== 'none') await ask(silenceQuestion())
      const limit = change.uploadBytesPerSecond
      if (isCrawl(limit, file.value.uploadBytesPerSecond)) await ask(crawlQuestion(limit))
      const least = leastUpload(change.limitTimes)
      if (isCrawl(least, Math.min(leastUpload(file.value.limitTimes), file.value.uploadBytesPerSecond ?? Infinity))) await ask(crawlQuestion(least))
      if (change.autoStart !== undefined && change.autoStart !== loginItem.isOn()) {
        await ask(autoStartQuestion(change.autoStart))
        await loginItem.set(change.autoStart)
      }
      const written = file.set(applyChange(file.value, change))
      apply(file.value)
      await written
    },
  }
}

/** Infinity without a limit. */
function leastUpload(times: readonly LimitTime[] = []): number {
  return Math.min(...times.map((one) => one.uploadBytesPerSecond ?? Infinity))
}
