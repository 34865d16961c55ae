/** What a snapshot is called by. */
export interface Labelled {
  readonly host: string
  readonly job: string
  /** `JOB@REV`; unlike that of any other. */
  readonly id: string
  /** What tells snapshots of a job apart from those of another that has its name and its host's. */
  readonly line: string
  readonly finishedMs: number
}

/** `HOST JOB` → `2026-11-27 03.14` → the snapshot. */
export type Shelves<T> = ReadonlyMap<string, ReadonlyMap<string, T>>

/** No file system bears more than 255 bytes in a name; a number may follow. */
const mostNameBytes = 200

/**
 * Names of folders for snapshots: any system can have them, no two of them are alike even where capital letters do not count, and the same
 * snapshots have the same names each time; newer ones take no name from older ones.
 * @param snapshots of a job by revision; times are shown as this machine's clocks show them
 */
export function shelve<T extends Labelled>(snapshots: readonly T[]): Shelves<T> {
  const shelves = new Map<string, ReadonlyMap<string, T>>()
  const lines = [...Map.groupBy(snapshots, ({ line }) => line).values()]
  for (const line of lines.sort((a, b) => order(nameOf(a), nameOf(b)) || order(a[0]?.line ?? '', b[0]?.line ?? ''))) {
    const dates = new Map<string, T>()
    for (const snapshot of line) {
      const date = dateName(snapshot.finishedMs)
      dates.set(freeName(dates, [date, `${date} ${safeName(`(${snapshot.id})`)}`]), snapshot)
    }
    shelves.set(freeName(shelves, [nameOf(line)]), dates)
  }
  return shelves
}

function nameOf([first]: readonly Labelled[]): string {
  return safeName(`${first?.host ?? ''} ${first?.job ?? ''}`)
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Without what Windows or a file manager takes for something else. */
function safeName(text: string): string {
  let name = ''
  for (const character of text.normalize('NFC').replace(/[/\\:*?"<>|\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu, '_')) {
    if (Buffer.byteLength(name) + Buffer.byteLength(character) > mostNameBytes) break
    name += character
  }
  return name.replace(/^[. ]+|[. ]+$/g, '') || '_'
}

/** `2026-11-27 03.14`: sorts by time, and has no colon. */
function dateName(timeMs: number): string {
  const date = new Date(timeMs)
  const year = date.getFullYear()
  if (!(year >= 1 && year <= 9999)) return 'undated'
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${String(year).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}.${two(date.getMinutes())}`
}

/** The first that is free, or the last with a number. */
function freeName(taken: ReadonlyMap<string, unknown>, wanted: readonly string[]): string {
  const folded = new Set([...taken.keys()].map((name) => name.toLowerCase()))
  const free = wanted.find((name) => !folded.has(name.toLowerCase()))
  if (free !== undefined) return free
  for (let number = 2; ; number++) {
    const name = `${wanted.at(-1) ?? ''} (${number})`
    if (!folded.has(name.toLowerCase())) return name
  }
}
