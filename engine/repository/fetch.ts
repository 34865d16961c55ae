import { hasCode } from '../base/errors.ts'

/**
 * Fetches something and opens it. What arrives damaged is fetched once more before it is called damaged: the storage may hold it whole, and
 * the way, a proxy or a cache have spoilt it. Everything that is read and opened comes through here.
 * @param open must not keep what it was given when it throws. Errors: those of both; `damaged` only of the second time.
 */
export async function fetchOpened<T>(fetch: () => Promise<Uint8Array>, open: (bytes: Uint8Array) => T | Promise<T>): Promise<T> {
  try {
    return await open(await fetch())
  } catch (error) {
    if (!hasCode(error, 'damaged')) throw error
    return open(await fetch())
  }
}

/** As fetchOpened; undefined where there is nothing. */
export async function fetchIfThere<T>(fetch: () => Promise<Uint8Array>, open: (bytes: Uint8Array) => T | Promise<T>): Promise<T | undefined> {
  try {
    return await fetchOpened(fetch, open)
  } catch (error) {
    if (hasCode(error, 'not-found')) return undefined
    throw error
  }
}
