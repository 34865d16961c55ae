import { HoldfastError } from '../base/errors.ts'

/**
 * The origin that stands for a cloud service in tests, from HOLDFAST_SERVICE_<ID>; undefined where it is not set. Only this machine
 * itself can be named, so that no token ever goes elsewhere. Errors: arguments.
 */
export function serviceFrom(environment: Readonly<Record<string, string | undefined>>, id: string): string | undefined {
  const variable = `HOLDFAST_SERVICE_${id.toUpperCase()}`
  const origin = environment[variable]
  if (origin === undefined || origin === '') return undefined
  if (!/^http:\/\/127\.0\.0\.1:\d{1,5}$/.test(origin)) throw new HoldfastError('arguments', `${variable} is for tests: http://127.0.0.1:port.`)
  return origin
}
