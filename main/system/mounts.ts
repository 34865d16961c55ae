import { sep } from 'node:path'

/** A line of /proc/self/mountinfo. */
export interface Mount {
  /** `major:minor` of what is mounted; some file systems (btrfs) have numbers of their own there. */
  readonly device: string
  /** The folder of the file system that is seen at `point`; `/` but for a bind mount or a subvolume. */
  readonly root: string
  readonly point: string
  readonly type: string
  readonly source: string
  readonly readOnly: boolean
}

/** The mounts in a text of /proc/self/mountinfo, in its order. Lines that are none are left out. */
export function mountsIn(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , device, root, point, options = ''] = before.split(' ')
    const [type, source, superOptions = ''] = after.split(' ')
    if (device === undefined || root === undefined || point === undefined || type === undefined || source === undefined) return []
    const readOnly = [options, superOptions].some((one) => one.split(',').includes('ro'))
    return [{ device, root: unescaped(root), point: unescaped(point), type, source: unescaped(source), readOnly }]
  })
}

/** The file system whose mount point is nearest above a path; of two at one point the later hides the other. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  const above = mounts.filter(({ point }) => isWithin(path, point))
  return above.reduce<Mount | undefined>((best, one) => (best && best.point.length > one.point.length ? best : one), undefined)
}

/** Whether a path is a folder or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/** Blanks and the like are in octal there, byte by byte. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  const bytes = [...text.matchAll(/\\([0-7]{3})|[^\\]+|\\/g)].map(([part, octal]) => (octal === undefined ? Buffer.from(part) : Buffer.from([parseInt(octal, 8)])))
  return Buffer.concat(bytes).toString()
}
