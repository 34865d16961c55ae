import type { RunSummary } from '../protocol/progress.ts'

/** A damage list can be as long as the repository; `--json` has all of it. */
const shownItems = 50

/** What a command says beyond the counters, as indented lines: lists of plain values and names with a value. */
export function detailLines(summary: RunSummary): string[] {
  return render(summary.details, '  ')
}

function render(value: unknown, indent: string): string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return renderList(value, indent)
  if (typeof value !== 'object') return [`${indent}${plain(value)}`]
  return Object.entries(value).flatMap(([name, item]: [string, unknown]) => {
    if (item === undefined || item === null || (Array.isArray(item) && item.length === 0)) return []
    if (typeof item !== 'object') return [`${indent}${words(name)}: ${plain(item)}`]
    return [`${indent}${words(name)}:`, ...render(item, `${indent}  `)]
  })
}

function renderList(items: readonly unknown[], indent: string): string[] {
  const lines = items.slice(0, shownItems).map((item) => `${indent}${inline(item)}`)
  return items.length > shownItems ? [...lines, `${indent}and ${String(items.length - shownItems)} more; --json shows all`] : lines
}

function inline(item: unknown): string {
  if (typeof item !== 'object' || item === null) return plain(item)
  return Object.entries(item)
    .map(([name, value]: [string, unknown]) => `${words(name)} ${Array.isArray(value) ? value.map(inline).join(', ') : inline(value)}`)
    .join(' · ')
}

/** Of a value that is no object. */
function plain(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** `affectedFiles` → `affected files`. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
