import { InvalidArgumentError } from 'commander'
import { isAccountName } from '../accounts/account.ts'
import type { ExcludePreset } from '../protocol/job.ts'

/** Parsers of option values, for commander: each throws InvalidArgumentError in words for people. */

const factors: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** `500K`, `5M`, `1.5G`, `1000`: bytes; units are powers of 1024. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim())
  const value = match ? Math.floor(Number(match[1]) * (factors[match[2]?.toLowerCase() ?? ''] ?? NaN)) : NaN
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Give a size such as 500K, 5M or 1G.')
  return value
}

export function parsePositive(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number from 1.')
  return value
}

export function parseConcurrency(text: string): number {
  const value = parsePositive(text)
  if (value > 256) throw new InvalidArgumentError('Give a whole number from 1 to 256.')
  return value
}

export function parseGroups(text: string): number {
  const value = parsePositive(text)
  if (value > 16) throw new InvalidArgumentError('Give a whole number from 1 to 16.')
  return value
}

export function parsePort(text: string): number {
  const value = parsePositive(text)
  if (value > 65_535) throw new InvalidArgumentError('Give a port from 1 to 65535.')
  return value
}

/** `25` or `25%`. */
export function parsePercent(text: string): number {
  const value = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : NaN
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError('Give a percentage above 0, up to 100.')
  return value
}

/** Minutes as text, ms as value. */
export function parseMinutes(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
  if (!Number.isFinite(value)) throw new InvalidArgumentError('Give a number of minutes.')
  return value * 60_000
}

const spans: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90s`, `15m`, `12h`, `3d` or `0` as text, ms as value. */
export function parseSpan(text: string): number {
  const match = /^(\d+)([smhd])$/.exec(text)
  const value = text === '0' ? 0 : Number(match?.[1]) * (spans[match?.[2] ?? ''] ?? NaN)
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('Give a time such as 90s, 15m, 12h or 3d.')
  return value
}

/** As in the window: blanks may stand between, not at the ends. */
export function parseJobName(text: string): string {
  if (!/^[A-Za-z0-9._-](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9._-])?$/.test(text)) throw new InvalidArgumentError('A job name has 1 to 64 of: letters, digits, dot, underscore, hyphen, and blanks between them.')
  return text
}

/** For names and paths that must say something: an empty one is mostly a variable that was never set. */
export function parseText(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty.')
  return text
}

/** Of an account, as addresses call it. */
export function parseAccountName(text: string): string {
  if (!isAccountName(text)) throw new InvalidArgumentError('An account\'s name has 1 to 128 characters, and no blanks around them.')
  return text
}

export function parseHost(text: string): string {
  if (!/^[^\p{Cc}]{1,255}$/u.test(text)) throw new InvalidArgumentError('A machine name has 1 to 255 characters.')
  return text
}

/** `JOB@REV`, `latest`, `latest:JOB` or `latest:HOST/JOB`. */
export function parseSnapshot(text: string): string {
  if (!/^(?:latest|latest:(?:[^\p{Cc}]{1,255}\/)?[A-Za-z0-9 ._-]{1,64}|[A-Za-z0-9 ._-]{1,64}(?:~[0-9a-f]{12})?@\d+(?:-[0-9a-z]+)?)$/u.test(text)) throw new InvalidArgumentError('A snapshot is `JOB@REVISION`, `latest`, `latest:JOB` or `latest:HOST/JOB`.')
  return text
}

const presets: readonly ExcludePreset[] = ['caches', 'trash', 'node_modules', 'nobackup', 'cachedir', 'nodump']

export function parsePreset(text: string, before: readonly ExcludePreset[] = []): readonly ExcludePreset[] {
  const preset = presets.find((name) => name === text)
  if (!preset) throw new InvalidArgumentError(`Presets are ${presets.join(', ')}.`)
  return [...before, preset]
}

/** For options that may be given more than once. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, parseText(text)]
}
