import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { root } from './root.ts'

/**
 * Some tests act as another user, who has to get to the project. Where root runs them and a folder above it is closed to others (a home, a folder of
 * mktemp), the same script runs in a mount namespace of its own, in which the project lies in an open folder too; no mode is changed.
 * @returns the exit code of that run; undefined where there is no need for it, or no way
 */
export function runInOpenPlace(script: string): number | undefined {
  if (process.getuid?.() !== 0 || process.platform !== 'linux' || !isClosedAbove(root)) return undefined
  if (spawnSync('unshare', ['--mount', 'true']).status !== 0) return undefined
  const place = mkdtempSync('/run/holdfast-tests-')
  chmodSync(place, 0o755)
  try {
    const moved = (text: string): string => text.replaceAll(`${root}/`, `${place}/`)
    const words = ['--mount', 'sh', '-c', 'mount --bind "$1" "$2" && cd "$2" && exec "$3" "$4"', 'sh', root, place, moved(process.execPath), script]
    const { status } = spawnSync('unshare', words, { stdio: 'inherit', env: { ...process.env, PATH: moved(process.env['PATH'] ?? '') } })
    return status ?? 1
  } finally {
    rmdirSync(place)
  }
}

function isClosedAbove(path: string): boolean {
  const above = dirname(path)
  return above !== path && ((statSync(above).mode & 0o001) === 0 || isClosedAbove(above))
}
