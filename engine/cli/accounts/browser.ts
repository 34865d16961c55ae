import { spawn } from 'node:child_process'

/** Programs that open an address, and whether there is a desktop to open it on. */
function opener(environment: NodeJS.ProcessEnv): readonly [command: string, ...args: string[]] | undefined {
  switch (process.platform) {
    case 'darwin': return ['open']
    case 'win32': return ['rundll32', 'url.dll,FileProtocolHandler']
    default: return environment['DISPLAY'] || environment['WAYLAND_DISPLAY'] ? ['xdg-open'] : undefined
  }
}

/** Opens an address in the user's browser where there is one. Whether it worked cannot be told: the address is printed in any case. */
export function openBrowser(address: string, environment: NodeJS.ProcessEnv): boolean {
  const found = opener(environment)
  if (!found) return false
  const [command, ...args] = found
  const child = spawn(command, [...args, address], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
  return true
}
