import type { WireError } from './bridge.ts'

/** The person was asked in main's own dialog and said no: nothing happened, and there is nothing to tell. */
export function isDeclined(error: WireError): boolean {
  return error.code === 'aborted' && error.data?.['declined'] === true
}
