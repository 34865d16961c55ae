/** Moves the focus among the rows of a grid as an arrow key, Home, End or a page key says; false for other keys. */
export function moveRow(grid: HTMLElement, key: string): boolean {
  const rows = [...grid.querySelectorAll<HTMLElement>('[data-row]')]
  const at = rows.findIndex((row) => row.contains(document.activeElement))
  const page = 10
  const targets: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    End: rows.length - 1,
  }
  const target = targets[key]
  if (target === undefined) return false
  rows[Math.min(rows.length - 1, Math.max(0, target))]?.focus()
  return true
}
