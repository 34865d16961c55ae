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
