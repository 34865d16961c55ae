import type { Notice } from '../api/contract.ts'
import type { Settings } from '../settings/settings.ts'
import type { VersionedFile } from '../settings/versioned-file.ts'

export interface DismissalPorts {
  readonly settings: VersionedFile<Settings>
  readonly watch: { silence(): void }
  readonly reminder: { putOff(): void }
  readonly kits: { decline(jobId: string): Promise<unknown> }
}

/** What comes of it that a person has dismissed a notice: it is not told again, or not so soon. */
export function afterDismissal({ settings, watch, reminder, kits }: DismissalPorts): (notice: Notice) => void {
  return (notice) => {
    const { type } = notice
    if (type === 'late') watch.silence()
    if (type === 'password') reminder.putOff()
    if (type === 'kit') void kits.decline(notice.jobId)
    if (type === 'secrets-in-file') void settings.set({ ...settings.value, dismissed: [...settings.value.dismissed, type] })
  }
}
