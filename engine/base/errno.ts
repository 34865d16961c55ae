/** The errno name of a system's error, as EACCES; undefined for anything else: Node's own `ERR_…`, SQLite's, ours. */
export function errnoOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' && /^E(?!RR_)[A-Z0-9]+$/.test(code) ? code : undefined
}

export function hasErrno(error: unknown, ...codes: readonly string[]): boolean {
  const errno = errnoOf(error)
  return errno !== undefined && codes.includes(errno)
}
