/** The errno name of a file system's error, as EACCES; undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'syscall') && Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : undefined
}
