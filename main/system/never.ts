/** For the end of a `switch` over a union: a new member makes this a type error. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`)
}
