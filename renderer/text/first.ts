import type { DriveView, SizeView } from '../state/bridge.ts'
import { formatBytes } from './format.ts'

/** The short form: what a first backup needs, and no more. */
export const firstWords = {
  title: 'Back up this computer',
  another: 'Quick setup',
  allSettings: 'All settings',
  homeName: 'Home',
  where: {
    title: 'Where to',
    label: 'Where the backup goes',
    choose: 'Choose a disk, or another place.',
    none: 'No disk is attached. Plug one in, and it appears here; or choose another place.',
    looking: 'Looking for disks…',
    room: ({ freeBytes, totalBytes }: DriveView) => `${formatBytes(freeBytes)} free of ${formatBytes(totalBytes)}`,
    elsewhere: 'Another place',
    elsewhereText: 'A folder, a server, or storage in the cloud',
    folder: (path: string) => `Kept in ${path}, encrypted. Nothing else on this disk is touched.`,
    repository: (path: string) => `There is a Holdfast backup in ${path} already. This one joins it: what both have is stored once.`,
    gone: 'This disk is not attached any more. Plug it in again, or choose another.',
    small: (needed: string) => `This is less than the about ${needed} that are to be backed up.`,
  },
  password: {
    title: 'Password',
    label: 'Password for the backup',
    existing: 'Password of the backup that is there',
    repeat: 'Repeat the password',
    repeatHint: 'Or show it, and read it once more.',
    text: 'Everything is encrypted with it before it leaves this computer. Without it nobody can read the backup, not we either: write it down.',
    kit: 'After the first backup, Holdfast offers a recovery kit: one page with twelve words that open the backup too.',
    wrong: 'This does not open the backup that is there.',
  },
  plan: {
    title: 'The rest is set',
    change: 'Change…',
    changeLabel: (what: string) => `Change…, ${what}`,
    what: 'What',
    done: 'Done',
    measuring: 'Finding out how large they are…',
    finding: 'Looking for your files…',
    nothing: 'No folder is chosen yet.',
    leftOut: 'without caches, trash, and what programs download again',
    home: (path: string) => `Your home folder ${path}`,
    name: 'Name',
    nameHint: 'Part of the name of every snapshot; it stays.',
    when: 'When',
    missed: 'a backup that was missed is made up for.',
    kept: 'Kept',
    drill: 'Checked',
    drillText: 'About once a day, at a quiet moment, what is stored is checked, and some files are restored for a test.',
    noDrill: 'The repository is not looked after, since nobody has chosen what is kept.',
  },
  start: 'Start the first backup',
  startAnother: 'Start the backup',
} as const

/** `about 83 GB in 120,000 files`; empty where it is not known. */
export function aboutSize(size: SizeView | undefined): string {
  if (!size) return ''
  return size.isMore ? `more than ${formatBytes(size.bytes)}` : `about ${formatBytes(size.bytes)}`
}
