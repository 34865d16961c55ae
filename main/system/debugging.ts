import { isForTests } from './runtime.ts'

/** Switches that let another program look into the app and run code in it. */
const switches = ['remote-debugging-port', 'remote-debugging-pipe', 'remote-debugging-targets', 'inspect', 'inspect-brk', 'inspect-port', 'js-flags', 'load-extension'] as const

/** The slice of Electron's command line that is used here. */
export interface CommandLinePort {
  hasSwitch(name: string): boolean
}

/** The switch for which a packaged app does not start, or undefined. */
export function refusedSwitch(commandLine: CommandLinePort): string | undefined {
  return switches.find((name) => commandLine.hasSwitch(name))
}

/** Why the app does not start, in words fit to be shown; undefined: it may. Whoever tests it may look in. */
export function debuggingRefusal(app: Parameters<typeof isForTests>[0] & { readonly commandLine: CommandLinePort }): string | undefined {
  const found = isForTests(app) ? undefined : refusedSwitch(app.commandLine)
  return found && `It was started with --${found}, which would let other programs look into it. Start it without.`
}
