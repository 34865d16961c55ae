/** The value of an environment variable, which is gone from this process's environment afterwards: no child or worker inherits it. */
export function takeVariable(name: string): string | undefined {
  const value = process.env[name]
  Reflect.deleteProperty(process.env, name)
  return value === '' ? undefined : value
}
