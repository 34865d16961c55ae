import { HoldfastError } from '../base/errors.ts'

/** A segment begins with no dot: such names are the backends' own (`.tmp`), and `.` and `..` are out by the way. */
const objectName = /^[a-z0-9_-][a-z0-9._-]*(\/[a-z0-9_-][a-z0-9._-]*)*$/
const maximumLength = 255

/** Also for names that a storage lists: what fails is not ours and is passed over. */
export function isObjectName(name: string): boolean {
  return name.length <= maximumLength && objectName.test(name)
}

/** Throws `arguments`. */
export function requireObjectName(name: string): void {
  if (!isObjectName(name)) throw new HoldfastError('arguments', `Not an object name: ${JSON.stringify(name.slice(0, 300))}.`)
}

/** A prefix is empty or begins an object name. Throws `arguments`. */
export function requirePrefix(prefix: string): void {
  if (prefix !== '' && !isObjectName(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix)) {
    throw new HoldfastError('arguments', `Not a prefix of object names: ${JSON.stringify(prefix.slice(0, 300))}.`)
  }
}
