import type { EngineCommand } from '../../engine/protocol/messages.ts'

/** One engine process, whatever carries it: a utility process of Electron or a plain Node. */
export interface EngineHost {
  readonly pid: number | undefined
  /** To a process that is gone: without effect. */
  send(command: EngineCommand): void
  /** At once and for sure (SIGKILL). Repeating is safe. */
  kill(): void
}

/** What a host reports. `exit` comes exactly once and last, also when the process could not be started. */
export interface HostListener {
  message(message: unknown): void
  /** A line that the process printed; engines print none unless something is wrong. */
  output(line: string): void
  exit(how: string): void
}

export type StartHost = (listener: HostListener) => EngineHost

/** Environment variables that an engine needs. A list of what may pass, so that no secret of the user's shell does. */
const passed = [
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP)$/,
  /^(XDG_\w+|SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS)$/,
  /^(https?_proxy|no_proxy|all_proxy)$/i,
  /^HOLDFAST_LOG$/,
  // Names a stand-in on this machine (engine/backend/service.ts).
  /^HOLDFAST_SERVICE_[A-Z0-9]+$/,
  /^(SystemRoot|SystemDrive|windir|APPDATA|LOCALAPPDATA|USERPROFILE|HOMEDRIVE|HOMEPATH|PATHEXT|ComSpec|ProgramData)$/i,
]

export function engineEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && passed.some((pattern) => pattern.test(name))) kept[name] = value
  }
  return kept
}

const longestLine = 2000

/** Cuts a stream of text into lines; a line beyond 2000 characters is cut short. */
export function linesTo(receive: (line: string) => void): (chunk: unknown) => void {
  let rest = ''
  return (chunk) => {
    const lines = (rest + String(chunk)).split('\n')
    rest = (lines.pop() ?? '').slice(0, longestLine)
    for (const line of lines) if (line.trim() !== '') receive(line.slice(0, longestLine))
  }
}
