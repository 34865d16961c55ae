import type { Problem } from '../state/bridge.ts'
import { formatCount } from './format.ts'

/** What can be done about the warnings of a run. */
export const problemWords = {
  count: (title: string, count: number) => `${title} (${formatCount(count)})`,
  leaveOut: 'Leave out…',
  leaveOutLabel: (path: string) => `Leave out…, ${path}`,
  leaveAllOut: (count: number) => `Leave all ${formatCount(count)} out…`,
  leftOut: (name: string) => `“${name}” leaves it out from now on`,
  edit: 'Edit job',
  advice: {
    unreadable: 'Holdfast may not read these. Give yourself the right to, or leave them out.',
    vanished: 'Programs remove such files by themselves. If they always do, leave them out.',
    changed: 'Programs wrote in these at the same time. Close them before a backup, or leave out what nobody needs.',
    'source-missing': 'Plug in its disk or connect its network drive; or take the folder out of the job.',
    'source-changed': 'Its disk may not be mounted. If it is empty on purpose, take the folder out of the job.',
  } as Partial<Record<Problem['code'], string>>,
} as const
