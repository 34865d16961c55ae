/**
 * What the environment says of app keys and stand-ins. Secrets are removed from this process's environment, so that no child (a browser) inherits
 * them.
 */
export function takeAccountEnvironment(environment: NodeJS.ProcessEnv): Readonly<Record<string, string | undefined>> {
  const taken: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (!/^HOLDFAST_(?:[A-Z]+_APP_(?:KEY|SECRET)|SERVICE_OAUTH)$/.test(name)) continue
    taken[name] = value
    if (name.endsWith('_APP_SECRET')) Reflect.deleteProperty(environment, name)
  }
  return taken
}
