const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'] as const

/** As people count: `14 GB`. */
export function shownBytes(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${value >= 10 || power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power] ?? 'bytes'}`
}
